"""What of late ticks a listener notices: breaks, gaps, clicks."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS, SAMPLE_RATE
from voiceroom_driftlab.experiments import sound
from voiceroom_driftlab.experiments.trace import Trace, breaks, indicators, sum_over_hundred_ns

FRAME_NS = 10 * NS_PER_MS


def trace(late_ms: list[float], *, chained: bool = False) -> Trace:
    due_ns = 1_000 + np.arange(1, len(late_ms) + 1) * FRAME_NS
    ran_ns = due_ns + (np.array(late_ms) * NS_PER_MS).astype(np.int64)
    return Trace("made up", FRAME_NS, 1_000, ran_ns, chained)


def test_lateness_is_against_the_grid_and_deviation_against_what_was_asked() -> None:
    drifting = [0.5, 1.0, 1.5, 2.0]
    assert (trace(drifting).late_ns / NS_PER_MS).tolist() == drifting
    assert (trace(drifting, chained=True).deviation_ns / NS_PER_MS).tolist() == [0.5] * 4
    assert (trace(drifting).deviation_ns / NS_PER_MS).tolist() == drifting


def test_the_three_indicators() -> None:
    found = indicators(trace([1, 1, 25, 15, 5, 1, 1, 1]))
    assert found.mean_deviation_ms == pytest.approx(50 / 8)
    assert (found.max_jitter_ms, found.breaks, found.break_rate) == (25, 1, 1 / 8)


def test_a_stall_is_one_break_however_many_frames_it_makes_late() -> None:
    assert breaks(trace([0, 0, 55, 45, 35, 25, 15, 5, 0, 0]).late_ns, FRAME_NS) == 1


def test_a_drift_breaks_once_for_each_frame_that_it_has_eaten() -> None:
    assert breaks(trace([0.5 * n for n in range(100)]).late_ns, FRAME_NS) == 4


def test_a_trace_without_ticks_is_refused() -> None:
    with pytest.raises(ValueError, match="no tick ran"):
        indicators(trace([]))


def test_the_sum_over_a_hundred_frames() -> None:
    assert sum_over_hundred_ns(trace([0.5 * n for n in range(300)]).late_ns) == 50 * NS_PER_MS
    assert sum_over_hundred_ns(trace([1, 2, 4]).late_ns) == 3 * NS_PER_MS


def heard(late_ms: list[float]) -> sound.Tone:
    return sound.analyse(sound.played(trace(late_ms).late_ns, FRAME_NS, FRAME_NS))


def test_a_tone_on_time_is_whole() -> None:
    whole = heard([3.0] * 50)
    assert (whole.clicks, whole.silent_ms) == (0, 0)
    assert whole.phase_shift_samples == pytest.approx(0, abs=0.01) or (
        whole.phase_shift_samples == pytest.approx(SAMPLE_RATE / sound.TONE_HZ, abs=0.01)
    )
    assert whole.high_db < -80


def test_a_stall_is_a_gap_with_clicks_and_noise_above_the_tone() -> None:
    broken = heard([0.0] * 20 + [12.25] + [0.0] * 20)
    assert broken.silent_ms == pytest.approx(12.25, abs=0.1)
    assert broken.clicks in (1, 2)
    assert broken.high_db > -60


def test_the_phase_tells_by_how_much_the_end_is_late() -> None:
    pcm = np.concatenate((sound.sine(4_800), sound.sine(4_800, start=4_800 - 13)))
    assert sound.analyse(pcm).phase_shift_samples == pytest.approx(13, abs=0.2)


def test_one_wrong_sample_is_one_click() -> None:
    pcm = sound.sine(4_800)
    pcm[2_000] += 0.5
    assert sound.clicks(pcm) == 1
    pcm[3_000] += 0.5
    assert sound.clicks(pcm) == 2


def test_too_little_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="100 samples"):
        sound.analyse(sound.sine(100))
