"""The article serves the wrong one first; ours is earliest deadline first but for the dead."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_driftlab.experiments import lab_sched, queueing
from voiceroom_driftlab.experiments.queueing import Job
from voiceroom_mixer.core.defend.urgency import Task, Weights

WEIGHTS = Weights()
MS = 1_000_000


def waiting(*due_ms: float, rate: int = 48_000) -> list[Job]:
    return [Job(Task(i, int(ms * MS), rate), MS) for i, ms in enumerate(due_ms)]


def test_the_articles_min_heap_promotes_the_expired_task() -> None:
    assert queueing.least_weight(waiting(95, 99, 80), WEIGHTS, 100 * MS) == 2
    assert queueing.ours(waiting(95, 99, 80), WEIGHTS, 100 * MS) == 0


def test_the_articles_greatest_weight_is_the_least_urgent() -> None:
    assert queueing.greatest_weight(waiting(95, 99, 92), WEIGHTS, 100 * MS) == 1
    assert queueing.ours(waiting(95, 99, 92), WEIGHTS, 100 * MS) == 2


def test_weighed_at_push_only_the_rate_counts() -> None:
    jobs = [*waiting(92), Job(Task(1, 99 * MS, 8_000), MS)]
    assert queueing.as_written(jobs, WEIGHTS, 100 * MS) == 1


def test_96_khz_weighs_more_than_the_articles_one() -> None:
    assert queueing.article_weight(Task(0, 0, 96_000), WEIGHTS, 0) == pytest.approx(1.3)


@pytest.mark.parametrize("seed", range(20))
def test_among_equal_rates_that_are_alive_ours_is_earliest_deadline_first(seed: int) -> None:
    due = np.random.default_rng(seed).uniform(91.1, 100, size=8)
    jobs = waiting(*due)
    assert queueing.ours(jobs, WEIGHTS, 100 * MS) == int(np.argmin(due))


def test_a_server_that_is_never_late_misses_nothing_in_any_order() -> None:
    for choose in queueing.ORDERS.values():
        ready = queueing.serve(choose, waiting(0, 20, 40, 60), WEIGHTS)
        assert ready == [MS] * 4


def test_under_overload_edf_is_late_for_all_and_ours_for_some() -> None:
    jobs = queueing.load(np.random.default_rng(3), 20, 60, 1.1)
    missed = {
        name: queueing.served(queueing.serve(queueing.ORDERS[name], jobs, WEIGHTS), WEIGHTS).missed
        for name in ("EDF", "ours")
    }
    assert missed["EDF"] > 0.8
    assert missed["ours"] < 0.4


def test_the_inversion_stands_in_the_table() -> None:
    turns = lab_sched.turns()
    expired = [name for name, _, _ in lab_sched.FIVE].index("expired")
    assert turns["article: min-heap, weighed anew"][expired] == 1
    assert turns["ours"][expired] == len(lab_sched.FIVE)
