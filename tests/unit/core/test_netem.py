"""The emulated network does what its figures say, the same way every time."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.netem import PRESETS, GilbertElliott, Netem, NetemConfig

MS = NS_PER_MS


def deliver(config: NetemConfig, count: int = 5_000, seed: int = 1) -> list[tuple[int, int]]:
    """(number, delay in ns) in order of arrival; a packet every 20 ms."""
    link: Netem[int] = Netem(config, seed)
    for number in range(count):
        link.send(number * 20 * MS, number, 100)
    arrived = link.receive(10**15)
    return [(number, at_ns - number * 20 * MS) for at_ns, number in arrived]


def test_a_perfect_link_changes_nothing() -> None:
    assert deliver(PRESETS["perfect"], 100) == [(number, 0) for number in range(100)]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_same_seed_gives_the_same_network(name: str) -> None:
    assert deliver(PRESETS[name], 500) == deliver(PRESETS[name], 500)


def test_packets_come_when_their_time_has_come() -> None:
    link: Netem[str] = Netem(NetemConfig(delay_ms=30), 1)
    link.send(0, "a")
    assert link.next_ns == 30 * MS
    assert link.receive(30 * MS - 1) == []
    assert link.receive(30 * MS) == [(30 * MS, "a")]
    assert link.next_ns is None


def test_loss_comes_in_bursts_of_the_stated_mean() -> None:
    loss = GilbertElliott(to_bad=0.02, to_good=0.25)
    arrived = {number for number, _ in deliver(NetemConfig(loss=loss), 40_000)}
    lost = np.array([number not in arrived for number in range(40_000)])
    bursts = np.count_nonzero(np.diff(lost.astype(int)) == 1)
    assert lost.mean() == pytest.approx(loss.mean_loss, rel=0.15)
    assert lost.sum() / bursts == pytest.approx(4, rel=0.15)


def test_jitter_has_its_size_and_its_correlation() -> None:
    config = NetemConfig(delay_ms=10, jitter_ms=4, correlation=0.9)
    delays = np.array([delay for _, delay in deliver(config)]) / MS
    assert delays.min() >= 10
    assert delays.mean() == pytest.approx(10 + 4 * np.sqrt(2 / np.pi), abs=0.5)
    assert np.corrcoef(delays[1:], delays[:-1])[0, 1] > 0.6


def test_order_is_kept_but_for_what_overtakes() -> None:
    jittery = NetemConfig(delay_ms=50, jitter_ms=60)
    numbers = [number for number, _ in deliver(jittery)]
    assert numbers == sorted(numbers)
    overtaking = [number for number, _ in deliver(NetemConfig(50, jitter_ms=60, reorder=0.1))]
    assert overtaking != sorted(overtaking)
    assert sorted(overtaking) == numbers


def test_duplicates_arrive_and_are_counted() -> None:
    link: Netem[int] = Netem(NetemConfig(duplicate=0.5), 3)
    for number in range(1_000):
        link.send(number, number)
    assert len(link.receive(NS_PER_S)) == 1_000 + link.duplicated
    assert 400 < link.duplicated < 600


def test_a_slow_link_queues_and_then_drops() -> None:
    link: Netem[int] = Netem(NetemConfig(rate_bps=80_000, queue_bytes=1_000), 1)
    for number in range(50):
        link.send(0, number, 100)
    arrived = link.receive(10 * NS_PER_S)
    assert [at_ns for at_ns, _ in arrived] == [10 * MS * (i + 1) for i in range(10)]
    assert link.overflowed == 40
