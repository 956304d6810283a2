"""Which pods end, and when to look again for those that may not end yet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Nodes, PodSeen
from voiceroom_operator.pool.actions import DeletePod
from voiceroom_operator.pool.crew import Crew, is_outdated
from voiceroom_operator.pool.marks import drain_mark
from voiceroom_operator.wanted import PoolWanted


@dataclass(frozen=True, slots=True)
class Ending:
    """A pod that ends at ``due_s`` (Unix seconds)."""

    pod: PodSeen
    reason: str
    due_s: float = 0.0


def split(endings: Iterable[Ending], now_s: float) -> tuple[tuple[DeletePod, ...], list[float]]:
    """Those that are due, and how many seconds from now the others will be."""
    due: list[DeletePod] = []
    later: list[float] = []
    for ending in endings:
        if ending.due_s <= now_s:
            due.append(DeletePod(ending.pod.name, ending.pod.uid, ending.reason))
        else:
            later.append(ending.due_s - now_s)
    return tuple(due), later


def drained(
    wanted: PoolWanted, crew: Crew, nodes: Nodes, target: int, limits: Limits
) -> Iterator[Ending]:
    """Pods that leave: when nobody is in them, at the latest when their deadline has passed."""
    replaced = len(crew.serving) >= target
    for pod in crew.leaving:
        if pod.deleting:
            continue
        busy = crew.is_busy(pod)
        mark = drain_mark(wanted, pod, nodes, busy, False, pod.uid in crew.drifting)
        if mark == "Drift" and busy:
            continue  # nobody is cut off for a bad timer: it has no deadline
        if busy and pod.drain_since_s is not None and mark:
            closed_s = pod.drain_since_s + wanted.drain_s + limits.close_grace_s
            yield Ending(pod, "DrainDeadline", closed_s)
        elif not busy and mark:
            yield Ending(pod, "Drained")
        elif not busy and pod.drain_since_s is None and replaced:
            yield Ending(pod, "NodeLeaving")


def failed(wanted: PoolWanted, crew: Crew, limits: Limits) -> Iterator[Ending]:
    """Pods that never come back; a young one is held as long as ``failure_hold_s`` says.

    A pod on a node that is not heard of is left to Kubernetes, unless its pool is deleted.
    """
    for pod in crew.lost:
        if pod.deleting:
            continue
        if pod.failed:
            yield Ending(pod, "Failed", pod.created_s + limits.failure_hold_s)
        elif wanted.deleting:
            yield Ending(pod, "PoolDeleted")


def portless(crew: Crew, target: int) -> Iterator[Ending]:
    """Pods whose ports are taken on every node, once others do their work."""
    if len(crew.serving) >= target:
        yield from (Ending(pod, "PortsTaken") for pod in crew.portless)


def released(crew: Crew, avoid: frozenset[str]) -> Iterator[Ending]:
    """Pods without a node that may go by now where they were made not to: others are made."""
    for pod in crew.unready:
        if pod.stuck == "Unschedulable" and not pod.node and pod.avoids - avoid:
            yield Ending(pod, "Released")


def superfluous(
    wanted: PoolWanted, crew: Crew, keep: int, gone: Iterable[PodSeen], limits: Limits
) -> Iterator[Ending]:
    """Idle pods above ``keep``, the least useful first; ``gone``: those that end anyway."""
    going = {pod.uid for pod in gone}
    live = [pod for pod in crew.live if pod.uid not in going]
    ready = sum(pod.ready for pod in live)
    idle = [pod for pod in reversed(live) if not crew.is_busy(pod)]
    idle.sort(key=lambda pod: (pod.ready, not is_outdated(pod, wanted), pod.twin_roles()))
    for pod in idle[: max(0, min(len(live) - keep, limits.deletes))]:
        if pod.ready and ready <= keep:
            return
        ready -= pod.ready
        since_s = max(pod.created_s, pod.idle_since_s or 0.0)
        yield Ending(pod, "Superfluous", since_s + limits.idle_grace_s)
