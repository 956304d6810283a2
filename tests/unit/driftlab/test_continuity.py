"""Whether the torture suite hears what it is meant to hear."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.experiments.sound import sine
from voiceroom_driftlab.torture import card
from voiceroom_driftlab.torture.continuity import Arrived, Continuity, continuity
from voiceroom_driftlab.torture.faults import INJECTED
from voiceroom_driftlab.torture.line import sparse
from voiceroom_mixer.core.receive.source import Pcm

FRAME = 960


class Plain:
    """Payloads are samples: what is heard is what was sent."""

    def decode(self, payload: bytes) -> Pcm:
        return np.frombuffer(payload, np.float32)


def stream(frames: int = 200, *, shift: int = 0, start: int = 0) -> list[Arrived]:
    """A tone, each packet 30 ms after its time; ``shift`` moves its phase, in samples."""
    wave = sine(frames * FRAME, start=start * FRAME + shift).astype(np.float32)
    return [
        Arrived(
            (30 + 20 * (start + n)) * NS_PER_MS, start + n, (start + n) * FRAME,
            wave[n * FRAME : (n + 1) * FRAME].tobytes(),
        )
        for n in range(frames)
    ]  # fmt: skip


def heard(packets: list[Arrived]) -> Continuity:
    return continuity(packets, Plain(), 0.0)


def test_a_whole_tone_is_whole_in_whatever_order_its_packets_come() -> None:
    packets = stream()
    packets[10], packets[11] = packets[11], packets[10]
    found = heard(packets)
    assert (found.dropouts, found.phase_breaks, found.heard_ms) == (0, 0, 4_000)
    assert found.rtp_error_ms == pytest.approx(0)


def test_missing_frames_are_dropouts_and_two_in_a_row_are_one() -> None:
    packets = [one for one in stream() if one.sequence not in (50, 51, 90)]
    found = heard(packets)
    assert (found.dropouts, found.longest_ms, found.silent_ms) == (2, 40, 60)
    assert found.greatest_gap_ms == 60
    assert found.late_dropouts == 0


def test_what_comes_too_late_is_not_heard() -> None:
    packets = stream()
    packets[50] = packets[50]._replace(at_ns=packets[50].at_ns + 250 * NS_PER_MS)
    assert heard(packets).dropouts == 1


def test_a_dropout_in_the_last_two_seconds_did_not_mend() -> None:
    assert heard([one for one in stream() if one.sequence != 150]).late_dropouts == 1


def test_a_tone_that_goes_on_from_somewhere_else_is_a_phase_break() -> None:
    found = heard([*stream(100), *stream(100, start=100, shift=12)])
    assert (found.dropouts, found.phase_breaks) == (0, 1)


def test_a_clock_that_runs_fast_shows_in_the_timestamps() -> None:
    packets = [one._replace(at_ns=round(one.at_ns / 1.001)) for one in stream()]
    assert heard(packets).rtp_error_ms == pytest.approx(3, abs=0.1)


def test_silence_is_an_error_and_no_score() -> None:
    with pytest.raises(ValueError, match="nothing was heard"):
        heard([])


def test_verdicts() -> None:
    whole = heard(stream())
    assert card.verdict(whole, 0) == "whole"
    assert card.verdict(replace(whole, phase_breaks=1), 0) == "mended"
    assert card.verdict(replace(whole, dropouts=2, late_dropouts=1), 0) == "broken"
    assert card.verdict(replace(whole, rtp_error_ms=250), 0) == "broken"
    assert card.verdict(replace(whole, dropouts=1), 20 * NS_PER_MS) == "inconclusive"
    assert card.verdict(whole, 20 * NS_PER_MS) == "whole"


def test_losses_begin_with_the_fault_and_end_with_it() -> None:
    lost, kept = card.lost("loss", 7, 600), card.lost("nothing", 7, 600)
    gone = [lost(n) for n in range(600)]
    assert not any(gone[:150])
    assert not any(gone[-200:])
    assert all(gone[210:213])
    assert not any(kept(n) for n in range(600))


def test_under_dtx_a_packet_goes_out_each_400_ms() -> None:
    dealt = sparse([b"sound"] * 200, b"silence")
    assert dealt.count(b"sound") == 20
    assert [n for n, one in enumerate(dealt) if one == b"silence"][:2] == [20, 40]


def test_the_card_has_a_row_for_each_fault_and_a_column_for_each_mixer() -> None:
    runs = [
        card.Run(name, fault, "not installed") for name in ("ours", "Janus") for fault in INJECTED
    ]
    table = card.result(runs).tables[0]
    assert table.header == ("fault", "what happens", "ours", "Janus")
    assert [row[0] for row in table.rows] == list(INJECTED)
