"""Labels and annotations that pods ought to have."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from voiceroom_operator.observed import DrainReason, Nodes, PodSeen, is_displaced
from voiceroom_operator.pool.actions import PatchPod
from voiceroom_operator.pool.crew import Crew, may_return
from voiceroom_operator.wanted import PoolWanted


def patches(
    wanted: PoolWanted,
    pods: Collection[PodSeen],
    crew: Crew,
    nodes: Nodes,
    retired: Collection[PodSeen],
) -> Iterator[PatchPod]:
    """One patch for each pod whose marks are not what they ought to be.

    ``retired``: pods with rooms that the rollout takes out of service now.
    """
    for pod in pods:
        if pod.deleting or pod.failed:
            continue
        busy = crew.is_busy(pod)
        drifts = pod.uid in crew.drifting
        drain = drain_mark(wanted, pod, nodes, busy, pod in retired, drifts)
        patch = PatchPod(
            pod.name,
            pod.uid,
            occupied=busy if busy != pod.occupied else None,
            drain=drain if drain != pod.drain_reason else None,
        )
        if patch.occupied is not None or patch.drain is not None:
            yield patch


def drain_mark(
    wanted: PoolWanted, pod: PodSeen, nodes: Nodes, busy: bool, retired: bool, drifts: bool
) -> DrainReason:
    """Why the pod ought to be out of service; empty = it ought not to be."""
    if wanted.deleting:
        return "PoolDeleted"
    if is_displaced(pod, nodes) and busy:
        return "NodeLeaving"
    if retired:
        return "Rollout"
    if drifts and pod.drain_reason in ("", "Drift"):
        return "Drift"
    # an idle pod of a cordoned node just ends: no deadline needs to run
    return "" if may_return(pod, wanted, nodes) else pod.drain_reason
