"""Wall time for sender reports."""

from __future__ import annotations

import itertools

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.wall import WallAnchor

WALL = 1_795_000_000 * NS_PER_S


def test_the_map_has_the_slope_of_the_grid() -> None:
    anchor = WallAnchor(1_000, WALL)
    ticks = [anchor.wall_ns(1_000 + k * 20_000_000) for k in range(100)]
    assert {b - a for a, b in itertools.pairwise(ticks)} == {20_000_000}
    assert ticks[0] == WALL


def test_noise_within_the_bracket_moves_nothing() -> None:
    anchor = WallAnchor(0, WALL)
    assert anchor.update(1_000, WALL + 1_000 + 300, 300) == 0
    assert anchor.wall_ns(5_000) == WALL + 5_000


def test_a_step_is_followed_and_counted() -> None:
    anchor = WallAnchor(0, WALL)
    step = -3 * NS_PER_S
    assert anchor.update(1_000, WALL + 1_000 + step, 300) == step
    assert anchor.wall_ns(2_000) == WALL + 2_000 + step
    assert anchor.steps == 1
    assert anchor.update(3_000, WALL + 3_000 + step, 300) == 0
    assert anchor.steps == 1


def test_a_difference_below_a_millisecond_is_followed_without_a_word() -> None:
    anchor = WallAnchor(0, WALL)
    assert anchor.update(0, WALL + 40_000, 300) == 0
    assert anchor.wall_ns(0) == WALL + 40_000
    assert anchor.steps == 0
