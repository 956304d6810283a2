"""The refill rule and the ladder of concealment."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.speech import ToneDecoder
from voiceroom_mixer.core.receive.conceal import Concealer
from voiceroom_mixer.core.receive.refill import RefillWatch
from voiceroom_mixer.core.receive.source import FrameKind


@pytest.mark.parametrize(("frame_ms", "frames"), [(10, 13), (20, 7), (40, 4)])
def test_more_than_120_ms_and_three_frames_make_one_timeout(frame_ms: int, frames: int) -> None:
    watch = RefillWatch()
    fired = [watch.frame(frame_ms * 48, 960) for _ in range(50)]
    assert fired.index(True) + 1 == frames
    assert fired.count(True) == 1
    assert watch.timeouts == 1


def test_two_frames_are_not_three_however_long_they_are() -> None:
    watch = RefillWatch()
    assert [watch.frame(100 * 48, 960) for _ in range(3)] == [False, False, True]


def test_a_refill_begins_the_count_anew_and_allows_the_next_timeout() -> None:
    watch = RefillWatch()
    for _ in range(6):
        assert not watch.frame(960, 960)
    watch.refilled()
    assert [watch.frame(960, 960) for _ in range(7)][-1]
    watch.refilled()
    assert [watch.frame(960, 960) for _ in range(7)][-1]
    assert watch.timeouts == 2


def test_packets_of_120_ms_are_no_timeout_by_themselves() -> None:
    watch = RefillWatch()
    for _ in range(20):
        watch.refilled()
        assert not any(watch.frame(960, 5_760) for _ in range(6))


def levels(background: int) -> list[tuple[FrameKind, float]]:
    concealer = Concealer(ToneDecoder(), 3)
    concealer.resume(background)
    frames = [concealer.fill(960, 960) for _ in range(60)]
    return [(kind, float(np.sqrt(np.mean(pcm**2)))) for pcm, kind in frames]


def test_concealment_becomes_noise_and_noise_becomes_silence() -> None:
    frames = levels(background=55)
    kinds = [kind for kind, _ in frames]
    assert kinds == [FrameKind.PLC] * 5 + [FrameKind.NOISE] * 45 + [FrameKind.SILENCE] * 10
    assert frames[20][1] == pytest.approx(10 ** (-70 / 20), rel=1.0)
    assert frames[-1][1] == 0.0


def test_noise_is_never_louder_than_minus_50() -> None:
    concealer = Concealer(ToneDecoder(), 3)
    for _ in range(10_000):
        concealer.resume(10)
    noise = np.concatenate([concealer.fill(960, 960)[0] for _ in range(30)][10:])
    assert 20 * np.log10(np.sqrt(np.mean(noise**2))) == pytest.approx(-50, abs=2)
