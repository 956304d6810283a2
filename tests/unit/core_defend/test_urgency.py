"""Rooms are mixed by urgency; what has expired waits and is counted."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.defend.urgency import Task, Weights, expired, order, urgency

WEIGHTS = Weights()
NOW = 100 * NS_PER_MS
due = st.integers(NOW - 20 * NS_PER_MS, NOW + 5 * NS_PER_MS)
rates = st.sampled_from((8_000, 16_000, 24_000, 48_000, 96_000, 192_000))
tasks = st.lists(st.builds(Task, st.integers(0, 999), due, rates), max_size=30)


def test_the_one_that_has_waited_longer_comes_first() -> None:
    early, late = Task(1, NOW - 2 * NS_PER_MS), Task(2, NOW - 8 * NS_PER_MS)
    assert order([early, late], WEIGHTS, NOW) == ((late, early), ())


def test_as_the_article_has_it_the_order_would_be_the_wrong_way_round() -> None:
    def article(task: Task) -> float:
        elapsed = (NOW - task.due_ns) / WEIGHTS.deadline_ns
        return 0.01 if elapsed > 1 else 0.7 * (1 - elapsed) + 0.3 * task.rate / 48_000

    early, late, gone = (Task(n, NOW - ms * NS_PER_MS) for n, ms in enumerate((2, 8, 12)))
    by_max = sorted((early, late), key=article, reverse=True)
    by_min_heap = sorted((early, late, gone), key=article)
    assert by_max == [early, late], "the least urgent first"
    assert by_min_heap[0] is gone, "what has expired first"
    assert order([early, gone, late], WEIGHTS, NOW) == ((late, early), (gone,))


def test_weights_are_written_and_read() -> None:
    weights = Weights(alpha=0.5, beta=0.1, base_rate=16_000, deadline_ns=4 * NS_PER_MS)
    assert Weights.from_bytes(weights.to_bytes()) == weights


def test_a_higher_rate_breaks_the_tie() -> None:
    low, high = Task(1, NOW, 16_000), Task(2, NOW, 48_000)
    assert order([low, high], WEIGHTS, NOW)[0] == (high, low)


@given(tasks)
def test_nothing_is_lost_and_urgency_stays_within_bounds(some: list[Task]) -> None:
    living, late = order(some, WEIGHTS, NOW)
    assert sorted(living + late, key=repr) == sorted(some, key=repr)
    assert all(0 <= urgency(task, WEIGHTS, NOW) <= 1 for task in some)
    assert not any(expired(task, WEIGHTS, NOW) for task in living)
    assert all(expired(task, WEIGHTS, NOW) for task in late)


@given(tasks, st.integers(0, 2**32))
def test_rooms_of_one_rate_are_mixed_by_earliest_deadline(some: list[Task], seed: int) -> None:
    same = [Task(task.room, min(task.due_ns, NOW)) for task in some]
    random.Random(seed).shuffle(same)
    living, late = order(same, WEIGHTS, NOW)
    assert [task.due_ns for task in living] == sorted(task.due_ns for task in living)
    assert [task.due_ns for task in late] == sorted(task.due_ns for task in late)
