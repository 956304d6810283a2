"""What to do about the pods of one MixerPool: a pure function of what is wanted and seen.

It is level-triggered: made again from scratch at every look, and empty when all is as it should
be. Rooms are not its matter (``binding.planner``); it only sees which pods have any.
"""

from __future__ import annotations

from collections.abc import Iterator

from voiceroom_operator.limits import Limits
from voiceroom_operator.pool.actions import DeletePod, FinalizerStep, Note, PatchPod, PoolPlan
from voiceroom_operator.pool.births import Births, births
from voiceroom_operator.pool.crew import Crew, PoolObserved, muster
from voiceroom_operator.pool.endings import (
    Ending,
    drained,
    failed,
    portless,
    released,
    split,
    superfluous,
)
from voiceroom_operator.pool.marks import patches
from voiceroom_operator.pool.rollout import Rollout, next_step
from voiceroom_operator.pool.sizing import needed_for, target_size
from voiceroom_operator.wanted import PoolWanted

HELD_BACK_S = 1.0
"""When to go on with what a budget held back, in seconds."""


def plan(wanted: PoolWanted, observed: PoolObserved, limits: Limits, now_s: float) -> PoolPlan:
    """The next step towards ``wanted``; ``now_s`` in Unix seconds."""
    crew = muster(wanted, observed, limits)
    target = 0 if wanted.deleting else target_size(wanted, crew, observed.demand)
    step = Rollout() if wanted.deleting else next_step(wanted, observed, crew, target)
    endings = list(_endings(wanted, observed, crew, target, step, limits))
    delete, later = split(endings, now_s)
    born = _births(wanted, observed, crew, target + step.surge, endings, limits)
    if born.held_back:
        later.append(HELD_BACK_S)
    marks = patches(wanted, observed.pods, crew, observed.nodes, step.retire)
    return PoolPlan(
        create=born.create,
        delete=delete,
        patch=_of_those_that_stay(marks, delete),
        finalizer=_finalizer(wanted, observed),
        requeue_after_s=min(later, default=None),
        target=target,
        notes=(*step.notes, *born.notes, *_at_max(wanted, observed, crew, target)),
    )


def _endings(
    wanted: PoolWanted,
    observed: PoolObserved,
    crew: Crew,
    target: int,
    step: Rollout,
    limits: Limits,
) -> Iterator[Ending]:
    yield from drained(wanted, crew, observed.nodes, target, limits)
    yield from failed(wanted, crew, limits)
    yield from portless(crew, target)
    yield from released(crew, observed.avoid)
    yield from (Ending(pod, "Outdated") for pod in step.drop)
    keep = target + step.surge
    yield from superfluous(wanted, crew, keep, step.drop + step.retire, limits)


def _births(
    wanted: PoolWanted,
    observed: PoolObserved,
    crew: Crew,
    size: int,
    endings: list[Ending],
    limits: Limits,
) -> Births:
    """Pods up to ``size``. A failed pod that may not be replaced yet keeps its place."""
    if wanted.deleting:
        return Births()
    ending = {ending.pod for ending in endings if ending.reason in ("Outdated", "Released")}
    live = sum(pod not in ending for pod in crew.live)
    held = sum(pod.failed and not pod.deleting for pod in crew.lost)
    return births(wanted, observed, crew, size - live - held, limits)


def _of_those_that_stay(
    marks: Iterator[PatchPod], delete: tuple[DeletePod, ...]
) -> tuple[PatchPod, ...]:
    gone = {death.uid for death in delete}
    return tuple(mark for mark in marks if mark.uid not in gone)


def _finalizer(wanted: PoolWanted, observed: PoolObserved) -> FinalizerStep:
    if not wanted.deleting:
        return "" if wanted.has_finalizer else "add"
    return "release" if wanted.has_finalizer and not observed.pods else ""


def _at_max(
    wanted: PoolWanted, observed: PoolObserved, crew: Crew, target: int
) -> tuple[Note, ...]:
    needed = len(crew.busy) + needed_for(wanted, observed.demand)
    if wanted.deleting or needed <= target:
        return ()
    message = f"{needed} pods are needed and spec.size.max is {wanted.size_max}: raise it"
    return (Note("NoCapacity", message),)
