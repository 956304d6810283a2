"""What is learnt of a path: its fastest transit, the delay to wait, the sender's clock."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.receive.delay import PathDelay
from voiceroom_mixer.core.receive.skew import MAX_PPM, SkewEstimator
from voiceroom_mixer.core.receive.target import MEMORY_WINDOWS, TargetDelay

MS = NS_PER_MS


def target(low: int = 20, high: int = 200) -> TargetDelay:
    return TargetDelay(low * MS, high * MS, 20 * MS)


def test_without_jitter_the_target_is_a_frame_and_a_guard() -> None:
    assert target().ns == 23 * MS
    assert target(low=80).ns == 80 * MS


def test_the_target_covers_what_comes_often() -> None:
    estimate = target()
    for _ in range(10):
        estimate.add_window(40 * MS)
    assert estimate.ns == 63 * MS
    assert estimate.covers(40 * MS)
    assert not estimate.covers(41 * MS)


def test_one_bad_second_does_not_set_the_target() -> None:
    estimate = target()
    for _ in range(10):
        estimate.add_window(0)
    estimate.add_window(150 * MS)
    assert estimate.ns == 23 * MS


def test_a_late_packet_raises_the_target_at_once_and_it_decays_gently() -> None:
    estimate = target()
    estimate.raise_for(100 * MS)
    assert estimate.ns == 123 * MS
    estimate.add_window(0)
    assert estimate.ns == 113 * MS
    for _ in range(10):
        estimate.add_window(0)
    assert estimate.ns == 23 * MS


def test_nothing_latches_high() -> None:
    estimate = target()
    for _ in range(100):
        estimate.add_window(500 * MS)
    assert estimate.ns == 200 * MS
    for _ in range(MEMORY_WINDOWS + 20):
        estimate.add_window(1 * MS)
    assert estimate.ns == 24 * MS


def test_the_base_follows_the_fastest_packet_and_forgets_old_ones() -> None:
    path = PathDelay(1_000 * MS)
    assert path.see(990 * MS) == 990 * MS
    for second in range(1, 12):
        path.close(second * NS_PER_S, 1_000 * MS, 1_010 * MS, 200 * MS)
    assert path.base_ns == 1_000 * MS
    assert path.close(12 * NS_PER_S, 1_003 * MS, 1_020 * MS, 200 * MS) == 20 * MS


def test_a_new_path_moves_the_base_at_once() -> None:
    path = PathDelay(0)
    path.close(NS_PER_S, 0, 5 * MS, 200 * MS)
    assert path.close(2 * NS_PER_S, 300 * MS, 310 * MS, 200 * MS) == 10 * MS
    assert path.steps == 1


def envelope(ppm: float, seconds: int, jitter_ms: float = 0.0) -> list[tuple[int, int]]:
    random = np.random.default_rng(5)
    noise = random.exponential(jitter_ms * MS, seconds) if jitter_ms else np.zeros(seconds)
    at_ns = [second * NS_PER_S for second in range(seconds)]
    return [(at, int(-at * ppm * 1e-6 + extra)) for at, extra in zip(at_ns, noise, strict=True)]


def run(points: list[tuple[int, int]], estimator: SkewEstimator | None = None) -> SkewEstimator:
    estimator = estimator or SkewEstimator()
    for at_ns, low_ns in points:
        estimator.add(at_ns, low_ns)
    return estimator


@pytest.mark.parametrize("ppm", [-400.0, -100.0, -20.0, 0.0, 50.0, 100.0])
def test_skew_is_read_from_the_lower_envelope(ppm: float) -> None:
    assert run(envelope(ppm, 60)).ppm == pytest.approx(ppm, abs=0.1)
    assert run(envelope(ppm, 60, jitter_ms=0.5)).ppm == pytest.approx(ppm, abs=15)


def test_skew_is_unknown_before_twenty_seconds() -> None:
    assert run(envelope(100, 19)).ppm == 0.0
    assert run(envelope(100, 25)).ppm == pytest.approx(100, abs=1)


def test_skew_is_held_within_500_ppm() -> None:
    assert run(envelope(700, 40)).ppm == MAX_PPM


def test_a_step_of_the_path_is_not_skew() -> None:
    points = envelope(80, 120)
    stepped = [(at, low + (30 * MS if i > 70 else 0)) for i, (at, low) in enumerate(points)]
    estimator = SkewEstimator()
    worst = 0.0
    for at_ns, low_ns in stepped:
        estimator.add(at_ns, low_ns)
        if at_ns > 40 * NS_PER_S:
            worst = max(worst, abs(estimator.ppm - 80))
    assert worst < 5


def test_a_few_congested_seconds_do_not_move_the_estimate() -> None:
    points = [
        (at, low + 20 * MS * (i in (20, 33, 34, 50)))
        for i, (at, low) in enumerate(envelope(-60, 60))
    ]
    assert run(points).ppm == pytest.approx(-60, abs=3)
