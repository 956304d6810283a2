"""Replacing pods that the pool would make otherwise today: one more first, then one out."""

from __future__ import annotations

from dataclasses import dataclass

from voiceroom_operator.observed import PodSeen
from voiceroom_operator.pool.actions import Note
from voiceroom_operator.pool.crew import Crew, PoolObserved, is_outdated
from voiceroom_operator.wanted import PoolWanted


@dataclass(frozen=True, slots=True)
class Rollout:
    """The next step."""

    surge: int = 0
    """Pods above the target that may exist meanwhile, 0 or 1."""
    drop: tuple[PodSeen, ...] = ()
    """Nobody is in them: end them."""
    retire: tuple[PodSeen, ...] = ()
    """Rooms are in it: take it out of service."""
    notes: tuple[Note, ...] = ()


def next_step(wanted: PoolWanted, observed: PoolObserved, crew: Crew, target: int) -> Rollout:
    """What the rollout does next.

    A pod that is Ready goes only while ``target`` others are, and one with rooms only when no
    other drains for the rollout. One that is not Ready and has no rooms serves nobody: it goes.
    """
    stale = [pod for pod in crew.unready if is_outdated(pod, wanted) and not crew.is_busy(pod)]
    outdated = [pod for pod in crew.serving if is_outdated(pod, wanted)]
    if not outdated:
        return Rollout(drop=tuple(stale))
    idle = [pod for pod in reversed(outdated) if not crew.is_busy(pod)]
    busy = sorted(
        (pod for pod in outdated if crew.is_busy(pod)), key=lambda pod: observed.bound_to(pod)
    )
    extra = max(0, len(crew.serving) - target)
    drop = idle[: max(extra, _given_up(wanted, crew, idle))]
    drains = any(pod.drain_reason == "Rollout" and crew.is_busy(pod) for pod in crew.leaving)
    retire = busy[:1] if extra > len(drop) and not drains else []
    remains = len(outdated) > len(drop) + len(retire)
    return Rollout(
        surge=int(remains and not drains and not retire),
        drop=tuple(stale + drop),
        retire=tuple(retire),
        notes=_blocked(wanted, crew) if remains and not drop and not retire else (),
    )


def _given_up(wanted: PoolWanted, crew: Crew, idle: list[PodSeen]) -> int:
    """1 when the successor finds no node and one of the ``idle`` can make way for it."""
    others_stand_by = len(crew.serving) > max(1, sum(map(crew.is_busy, crew.serving)))
    return int(bool(idle and others_stand_by and _homeless(wanted, crew)))


def _homeless(wanted: PoolWanted, crew: Crew) -> tuple[PodSeen, ...]:
    return tuple(pod for pod in crew.unready if pod.stuck and not is_outdated(pod, wanted))


def _blocked(wanted: PoolWanted, crew: Crew) -> tuple[Note, ...]:
    waiting = _homeless(wanted, crew)
    if not waiting:
        return ()
    message = (
        f"pod {waiting[0].name} of the new revision fits on no node, and every older pod is "
        "needed: add a node, or wait until a pod is empty"
    )
    return (Note("RolloutBlocked", message),)
