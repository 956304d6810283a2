"""Rooms that wait for one thread that mixes them, in virtual time (S4.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.draws import Draw
from voiceroom_mixer.core.defend import urgency
from voiceroom_mixer.core.defend.urgency import Task, Weights

EXPIRED_WEIGHT: Final = 0.01
RATES: Final = (8_000, 16_000, 48_000, 96_000)
PERIOD_NS: Final = 20 * NS_PER_MS


class Job(NamedTuple):
    """One room's frame: there from ``task.due_ns`` on, and what it takes."""

    task: Task
    cost_ns: int


Choose = Callable[[Sequence[Job], Weights, int], int]
"""The index of the job that is mixed now."""


def article_weight(task: Task, weights: Weights, now_ns: int) -> float:
    """w = alpha (1 - elapsed / deadline) + beta rate / base; 0.01 once the deadline has passed."""
    if now_ns > task.due_ns + weights.deadline_ns:
        return EXPIRED_WEIGHT
    left = 1.0 - (now_ns - task.due_ns) / weights.deadline_ns
    return weights.alpha * left + weights.beta * task.rate / weights.base_rate


def as_written(waiting: Sequence[Job], weights: Weights, now_ns: int) -> int:
    """A min-heap of the weights, which Push computes once, when nothing has elapsed."""
    return min(
        range(len(waiting)),
        key=lambda i: article_weight(waiting[i].task, weights, waiting[i].task.due_ns),
    )


def least_weight(waiting: Sequence[Job], weights: Weights, now_ns: int) -> int:
    """The same, weighed anew each time."""
    return min(range(len(waiting)), key=lambda i: article_weight(waiting[i].task, weights, now_ns))


def greatest_weight(waiting: Sequence[Job], weights: Weights, now_ns: int) -> int:
    """The same from a max-heap, as its text wants it: the greatest weight first."""
    return max(range(len(waiting)), key=lambda i: article_weight(waiting[i].task, weights, now_ns))


def earliest_deadline(waiting: Sequence[Job], weights: Weights, now_ns: int) -> int:
    """EDF: Liu and Layland, 1973."""
    return min(range(len(waiting)), key=lambda i: waiting[i].task.due_ns)


def ours(waiting: Sequence[Job], weights: Weights, now_ns: int) -> int:
    """The mixer's: by urgency, what has expired in a lane of its own, last."""
    living, late = urgency.order((job.task for job in waiting), weights, now_ns)
    first = (*living, *late)[0]
    return next(i for i, job in enumerate(waiting) if job.task is first)


ORDERS: Final[dict[str, Choose]] = {
    "article: min-heap, weighed at Push": as_written,
    "article: min-heap, weighed anew": least_weight,
    "article: greatest weight first": greatest_weight,
    "EDF": earliest_deadline,
    "ours": ours,
}


@dataclass(frozen=True, slots=True)
class Served:
    """One order over one set of jobs."""

    jobs: int
    missed: float
    """Share whose mix was not ready at its deadline."""
    wait_p50_ms: float
    wait_p99_ms: float
    wait_max_ms: float


def serve(choose: Choose, jobs: Sequence[Job], weights: Weights) -> list[int]:
    """How long after it was due each job was ready, ns, in the order in which they were served.

    No mix is interrupted. ``jobs`` are sorted by ``due_ns``.
    """
    waiting: list[Job] = []
    ready: list[int] = []
    now_ns = taken = 0
    while waiting or taken < len(jobs):
        if not waiting:
            now_ns = max(now_ns, jobs[taken].task.due_ns)
        while taken < len(jobs) and jobs[taken].task.due_ns <= now_ns:
            waiting.append(jobs[taken])
            taken += 1
        job = waiting.pop(choose(waiting, weights, now_ns))
        now_ns += job.cost_ns
        ready.append(now_ns - job.task.due_ns)
    return ready


def served(ready_ns: Sequence[int], weights: Weights) -> Served:
    """From at least one job."""
    ms = sorted(ns / NS_PER_MS for ns in ready_ns)
    missed = sum(ns > weights.deadline_ns for ns in ready_ns)
    return Served(
        len(ms), missed / len(ms), ms[len(ms) // 2], ms[len(ms) * 99 // 100], ms[-1]
    )  # fmt: skip


def load(draw: Draw, rooms: int, frames: int, share: float) -> list[Job]:
    """``rooms`` with a frame each 20 ms, at phases of their own, that take ``share`` of one thread
    on average; one frame in ten takes four times as long as the others."""
    phase_ns = draw.integers(PERIOD_NS, size=rooms)
    rates = draw.choice(RATES, size=rooms)
    mean_ns = share * PERIOD_NS / rooms / 1.3
    jobs = []
    for frame in range(frames):
        factor = np.where(draw.random(rooms) < 0.1, 4.0, 1.0)
        for room in range(rooms):
            due_ns = frame * PERIOD_NS + int(phase_ns[room])
            cost_ns = int(mean_ns * factor[room] * draw.uniform(0.7, 1.3))
            jobs.append(Job(Task(room, due_ns, int(rates[room])), cost_ns))
    return sorted(jobs, key=lambda job: job.task.due_ns)
