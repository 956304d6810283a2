"""The ladder goes down by the second, comes up by the minute, and does not swing."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.ladder import Ladder
from voiceroom_mixer.core.defend.measures import LEVELS, WORST

FRAME_NS = 20 * NS_PER_MS
SECOND = 50


def run(ladder: Ladder, seconds: float, work: float, breaker: Breaker = Breaker.CLOSED) -> int:
    for _ in range(round(seconds * SECOND)):
        ladder.tick(work=work, breaker=breaker, truth_ns=FRAME_NS)
    return ladder.level


@pytest.fixture
def ladder() -> Ladder:
    return Ladder()


def test_an_easy_life_stays_on_top(ladder: Ladder) -> None:
    assert run(ladder, 600, 0.5) == 0


def test_one_bad_tick_is_no_reason(ladder: Ladder) -> None:
    run(ladder, 10, 0.5)
    ladder.tick(work=3.0, breaker=Breaker.CLOSED, truth_ns=FRAME_NS)
    assert run(ladder, 5, 0.5) == 0


def test_too_much_work_costs_a_step_every_2_s(ladder: Ladder) -> None:
    run(ladder, 1, 1.2)
    levels = [ladder.level] + [run(ladder, 2, 1.2) for _ in range(6)]
    assert levels == [1, 2, 3, 4, 5, 5, 5]
    assert ladder.downs == WORST


def test_it_comes_up_a_step_each_30_s_of_calm(ladder: Ladder) -> None:
    run(ladder, 3, 1.2)
    at = ladder.level
    assert run(ladder, 29, 0.3) == at
    assert run(ladder, 2, 0.3) == at - 1
    assert run(ladder, 29, 0.3) == at - 1
    assert run(ladder, 2, 0.3) == at - 2


def test_a_step_up_that_was_too_much_asks_for_twice_the_calm(ladder: Ladder) -> None:
    run(ladder, 1, 1.2)
    assert run(ladder, 31, 0.3) == 0
    assert run(ladder, 3, 1.2) > 0, "undone within 30 s"
    low = ladder.level
    assert run(ladder, 58, 0.3) == low
    assert run(ladder, 4, 0.3) == low - 1


def test_patience_is_bounded_and_forgotten_after_a_long_calm(ladder: Ladder) -> None:
    for _ in range(8):
        run(ladder, 3, 1.2)
        while ladder.level:
            run(ladder, 10, 0.3)
    run(ladder, 3, 1.2)
    while ladder.level > 1:
        run(ladder, 10, 0.3)
    assert run(ladder, 481, 0.3) == 0
    run(ladder, 481, 0.3)
    run(ladder, 1, 1.2)
    assert run(ladder, 32, 0.3) == 0


def test_between_the_thresholds_it_stays_where_it_is(ladder: Ladder) -> None:
    run(ladder, 1, 1.2)
    at = ladder.level
    assert at > 0
    assert run(ladder, 600, 0.8) == at


def test_an_open_breaker_takes_it_down_whatever_the_work(ladder: Ladder) -> None:
    assert run(ladder, 3, 0.1, Breaker.OPEN) == 2


def test_half_open_is_lived_through_at_level_1(ladder: Ladder) -> None:
    assert run(ladder, 120, 0.1, Breaker.HALF_OPEN) == 1
    assert run(ladder, 31, 0.1) == 0


def test_a_push_is_one_step_and_keeps_the_pace(ladder: Ladder) -> None:
    assert ladder.push() == -1
    assert ladder.push() == 0
    assert ladder.level == 1


def push(ladder: Ladder, seconds: int, work: float) -> int:
    """Each second once."""
    for _ in range(seconds):
        run(ladder, 1, work)
        ladder.push()
    return ladder.level


def test_pushes_alone_take_nothing_away_that_is_heard(ladder: Ladder) -> None:
    assert push(ladder, 120, 0.3) == 1
    assert ladder.downs == 1, "and it does not swing"
    assert run(ladder, 29, 0.3) == 1
    assert run(ladder, 2, 0.3) == 0


def test_a_push_goes_on_where_ticks_suffer_too_though_not_enough_by_themselves(
    ladder: Ladder,
) -> None:
    assert run(ladder, 60, 0.8) == 0
    assert push(ladder, 6, 0.8) == 3, "a step every 2 s"


def test_pushes_do_not_keep_what_was_taken_for_another_reason(ladder: Ladder) -> None:
    run(ladder, 5, 1.2)
    assert ladder.level == 3
    assert push(ladder, 65, 0.3) == 1


def test_each_level_takes_at_least_what_the_one_above_it_took() -> None:
    for higher, lower in itertools.pairwise(LEVELS):
        for name in ("defer_chores", "shared_mix", "extra_target_ms", "min_frame_ms"):
            assert getattr(lower, name) >= getattr(higher, name), name
        assert (lower.complexity or 0) <= (10 if higher.complexity is None else higher.complexity)
        assert (lower.max_talkers or 0) <= (
            16 if higher.max_talkers is None else higher.max_talkers
        )
        assert lower.fec <= higher.fec
    texts = [dataclasses.asdict(level)["what"] for level in LEVELS]
    assert len(set(texts)) == len(LEVELS)
