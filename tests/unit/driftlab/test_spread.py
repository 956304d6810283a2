"""Spreads, and the question whether errors add up to a line or a parabola."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_driftlab.experiments.spread import growth, robust_limit, spread


def test_a_spread_tells_the_moments_and_the_extremes() -> None:
    found = spread([1, 2, 3, 4])
    assert (found.count, found.mean, found.min, found.p50, found.max) == (4, 2.5, 1, 2.5, 4)
    assert found.std == pytest.approx(1.118, abs=1e-3)


def test_nothing_measured_is_an_error_that_says_so() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        spread([])
    with pytest.raises(ValueError, match="at least 4 values, not 3"):
        growth([1, 2, 3])


def test_an_error_of_each_frame_adds_up_to_a_line() -> None:
    errors = np.random.default_rng(1).normal(2_300, 400, 1_000)
    found = growth(np.cumsum(errors))
    assert found.per_step == pytest.approx(2_300, rel=0.02)
    assert found.linear_r2 > 0.999
    assert found.halves == pytest.approx(1, abs=0.05)


def test_a_parabola_is_told_from_a_line() -> None:
    found = growth(np.arange(1_000) ** 2.0)
    assert found.quadratic_r2 == pytest.approx(1)
    assert found.linear_r2 < 0.95
    assert found.halves == pytest.approx(3, abs=0.02)


def test_what_does_not_grow_fits_both() -> None:
    found = growth(np.full(10, 7.0))
    assert found.per_step == pytest.approx(0)
    assert found.linear_r2 == 1


def test_a_few_pauses_do_not_move_the_limit_above_which_they_are_seen() -> None:
    noise = np.random.default_rng(2).normal(100, 10, 1_000)
    disturbed = noise.copy()
    disturbed[::50] = 40_000
    assert robust_limit(disturbed, 8) == pytest.approx(robust_limit(noise, 8), rel=0.05)
    assert robust_limit(noise, 8) == pytest.approx(180, abs=10)
