"""Garbage is collected in spare time only."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest

from voiceroom_mixer.core.timing.histogram import Histogram
from voiceroom_mixer.edge.gcpolicy import (
    DEFERRED_NS,
    FIRST_PAUSE_NS,
    MOST_YOUNG,
    YOUNG_OBJECTS,
    GcPolicy,
)

PAUSE_NS = 100_000
PLENTY_NS = 10 * FIRST_PAUSE_NS


class Cycle:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture
def pauses() -> list[Histogram]:
    return [Histogram(np.zeros(4, np.int64), (50, 500)) for _ in range(3)]


@pytest.fixture
def policy(pauses: list[Histogram]) -> Iterator[GcPolicy]:
    readings = iter(range(0, 10**12, PAUSE_NS))
    policy = GcPolicy(pauses, readings.__next__)
    policy.start()
    yield policy
    policy.stop()


def litter(count: int = 2 * YOUNG_OBJECTS) -> None:
    for _ in range(count):
        Cycle()


def test_after_the_start_nothing_is_collected_by_itself(policy: GcPolicy) -> None:
    before = policy.collections
    litter(50_000)
    assert policy.collections == before
    assert gc.get_freeze_count() > 0


def test_with_time_left_the_young_are_collected_and_the_pause_is_counted(
    policy: GcPolicy, pauses: list[Histogram]
) -> None:
    litter()
    assert policy.spare(PLENTY_NS, idle=False)
    assert (pauses[0].count, pauses[0].sum_ns) == (1, PAUSE_NS)
    assert gc.get_count()[0] < YOUNG_OBJECTS


def test_without_garbage_nothing_is_done(policy: GcPolicy) -> None:
    litter()
    policy.spare(PLENTY_NS, idle=False)
    assert not policy.spare(PLENTY_NS, idle=False)


def test_a_slack_of_twice_the_last_pause_is_not_enough(policy: GcPolicy) -> None:
    litter()
    assert not policy.spare(2 * FIRST_PAUSE_NS, idle=False)
    assert policy.spare(2 * FIRST_PAUSE_NS + 1, idle=False)
    litter()
    assert not policy.spare(2 * PAUSE_NS, idle=False)
    assert policy.spare(2 * PAUSE_NS + 1, idle=False)


def test_the_middle_generation_has_its_turn_and_the_old_one_only_when_idle(
    policy: GcPolicy, pauses: list[Histogram]
) -> None:
    old_before = pauses[2].count
    for _ in range(200):
        litter()
        policy.spare(PLENTY_NS, idle=False)
    assert pauses[1].count > 5
    assert pauses[2].count == old_before
    assert policy.spare(PLENTY_NS, idle=True)
    assert pauses[2].count == old_before + 1


def test_the_emergency_collects_everything_and_tells_what_it_cost(policy: GcPolicy) -> None:
    assert policy.collect_now() == PAUSE_NS


class Second:
    """A clock that a test sets."""

    now_ns = 0

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Second:
    return Second()


@pytest.fixture
def deferred(pauses: list[Histogram], clock: Second) -> Iterator[GcPolicy]:
    policy = GcPolicy(pauses, clock)
    policy.start()
    policy.defer()
    yield policy
    policy.stop()


def test_for_a_moment_it_is_deferred_and_then_made_up_for(
    deferred: GcPolicy, clock: Second
) -> None:
    litter()
    clock.now_ns = DEFERRED_NS - 1
    assert not deferred.spare(PLENTY_NS, idle=True)
    clock.now_ns += 1
    assert deferred.spare(PLENTY_NS, idle=False)


def test_who_is_deferred_again_and_again_collects_before_there_is_too_much(
    deferred: GcPolicy,
) -> None:
    litter(MOST_YOUNG + 1)
    assert deferred.spare(PLENTY_NS, idle=False)
    litter()
    assert not deferred.spare(PLENTY_NS, idle=False)


def test_the_emergency_is_not_deferred(deferred: GcPolicy) -> None:
    before = deferred.collections
    deferred.collect_now()
    assert deferred.collections == before + 1


def test_afterwards_the_interpreter_collects_again(pauses: list[Histogram]) -> None:
    policy = GcPolicy(pauses)
    policy.start()
    policy.stop()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    count = policy.collections
    gc.collect()
    assert policy.collections == count
