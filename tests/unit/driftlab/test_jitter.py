"""Jitter buffers over the same packets, in virtual time."""

from __future__ import annotations

import pytest

from voiceroom_driftlab.experiments import buffers, lab_jitter, networks
from voiceroom_driftlab.experiments.buffers import Aiortc, Fixed, Ours, Outcome
from voiceroom_driftlab.experiments.networks import Heard, Path
from voiceroom_mixer.core.netem import PRESETS, GilbertElliott, NetemConfig

MS = 1_000_000
CALM = networks.synthetic("calm", NetemConfig(delay_ms=10), 500, 1)


def path_of(delays_ms: dict[int, int | None], count: int = 500) -> Path:
    """Calm but for these: late by so much, or lost."""
    late = {n: delays_ms.get(n, 0) for n in range(count)}
    heard = [Heard(n, (n * 20 + ms) * MS) for n, ms in late.items() if ms is not None]
    return Path("made up", count, sorted(heard, key=lambda one: one.arrival_ns))


def test_on_a_calm_path_ours_waits_a_frame_and_3_ms_and_the_others_80() -> None:
    waits = {name: buffers.listen(make(), CALM).wait_ms for name, make in buffers.BUFFERS.items()}
    assert waits["ours"].p99 == pytest.approx(23, abs=0.2)
    assert waits["fixed, 80 ms"].p50 == pytest.approx(87), "80 and the phase of the ticks"
    assert waits["aiortc"].p50 == pytest.approx(87)


def test_one_lost_packet_costs_aiortc_its_delay_for_ever_and_ours_a_frame() -> None:
    path = path_of({100: None})
    ours, aiortc = buffers.listen(Ours(), path), buffers.listen(Aiortc(), path)
    assert ours.end_wait_ms == pytest.approx(23, abs=1)
    assert ours.made_up <= 2 / 400
    assert aiortc.end_wait_ms > 250


def test_a_fixed_buffer_never_plays_what_is_later_than_it_waits() -> None:
    outcome = buffers.listen(Fixed(), path_of({100: 70, 200: 120}))
    assert outcome.unplayed == pytest.approx(1 / 500)
    assert outcome.made_up == pytest.approx(1 / 495, rel=0.05)


def test_ours_rises_for_jitter_that_80_ms_do_not_hold() -> None:
    net = NetemConfig(jitter_ms=60, correlation=0.9)
    path = networks.synthetic("wild", net, 3_000, 2)
    assert buffers.listen(Ours(), path).made_up < buffers.listen(Fixed(), path).made_up / 2


def test_loss_is_counted_once_and_made_up() -> None:
    path = networks.synthetic("lossy", NetemConfig(loss=GilbertElliott(0.05, 0.5)), 2_000, 3)
    outcome = buffers.listen(Ours(), path)
    assert outcome.lost == pytest.approx(path.lost / 2_000)
    assert outcome.made_up == pytest.approx(outcome.lost, abs=0.01)
    assert outcome.unplayed == 0


def test_a_path_without_sound_is_told() -> None:
    with pytest.raises(ValueError, match="too short"):
        buffers.listen(Fixed(), path_of({}, 3))


def test_a_recording_is_read_with_its_losses() -> None:
    path = networks.parse("# what it is\n0\n-\n1500\n", "mine")
    assert (path.sent, path.lost) == (3, 1)
    assert path.heard[1] == Heard(2, 41_500_000)


@pytest.mark.parametrize(("text", "told"), [("0\n-3\n", "line 2: '-3'"), ("# none\n", "no packet")])
def test_a_bad_recording_names_the_line(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        networks.parse(text, "mine")


def test_the_recording_that_comes_along_is_whole() -> None:
    assert networks.recorded().sent >= 3_000


def test_the_table_has_each_buffer_on_each_network() -> None:
    paths = [networks.synthetic("lan", PRESETS["lan"], 200, 1)]
    found: dict[str, dict[str, Outcome]] = {
        "lan": {name: buffers.listen(make(), paths[0]) for name, make in buffers.BUFFERS.items()}
    }
    result = lab_jitter.result(paths, found, 1)
    assert [row[2] for row in result.tables[0].rows] == list(buffers.BUFFERS)
    assert result.data["networks"]["lan"]["ours"]["made_up"] == 0
