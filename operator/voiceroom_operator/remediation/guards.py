"""The guard rails: storm, budgets, a place to go to. They bind drift moves and nothing else."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from voiceroom_api import names
from voiceroom_operator.observed import Nodes
from voiceroom_operator.remediation.policy import HOUR_S, Policy
from voiceroom_operator.remediation.records import MOST, Evacuation
from voiceroom_operator.remediation.suspects import PodView


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why something is not done; the condition's reason and message."""

    reason: str
    message: str


def storm(
    bad_nodes: Collection[str], pool_nodes: Collection[str], policy: Policy
) -> Blocked | None:
    """Bad pods stand on so many nodes that the cause is common to all."""
    allowed = max(1.0, len(pool_nodes) * policy.storm_percent / 100.0)
    if len(bad_nodes) <= allowed:
        return None
    message = (
        f"pods are late on {len(bad_nodes)} of {len(pool_nodes)} nodes at once "
        f"({', '.join(sorted(bad_nodes)[:5])}): nothing is moved while that lasts"
    )
    return Blocked(names.STORM_ACTIVE, message)


def candidates(
    fit: Iterable[PodView],
    nodes: Nodes,
    leaving: Collection[str],
    no_rooms: Collection[str],
    no_pods: Collection[str],
) -> bool:
    """Whether there is a pod to go to, or a node on which one may be made. ``leaving``: uids of
    pods that are left; ``no_rooms``, ``no_pods``: nodes that get none."""
    if any(pod.uid not in leaving and pod.node not in no_rooms for pod in fit):
        return True
    return any(
        node.schedulable and node.ready and not node.quarantined and node.name not in no_pods
        for node in (nodes or {}).values()
    )


def no_candidate(name: str) -> Blocked:
    """Neither a pod nor a node is fit."""
    message = f"{name} is to be left, and no other pod or node keeps time: add a node"
    return Blocked(names.NO_CANDIDATE_NODE, message)


@dataclass(frozen=True, slots=True)
class Budget:
    """What may still be begun."""

    nodes_left: int
    pods_left: int
    next_s: float | None
    """When a pod more may be left, Unix time; None = one may now."""
    nodes: tuple[str, ...]
    """Those that are being left."""


def budget(
    record: Iterable[Evacuation],
    occupied: Mapping[str, int],
    policy: Policy,
    now_s: float,
) -> Budget:
    """``occupied``: rooms of the pool on each node. A node counts while rooms are on it."""
    kept = list(record)
    left = sorted({e.name for e in kept if _is_being_left(e, occupied, now_s)})
    pods = sorted(e.at_s for e in kept if e.what == "Pod" and now_s < e.at_s + HOUR_S)
    pods_left = max(0, policy.pods_per_hour - len(pods))
    free_s = pods[-policy.pods_per_hour] + HOUR_S if not pods_left else None
    space = MOST - len(kept)
    return Budget(
        max(0, min(policy.nodes_at_once - len(left), space)),
        min(pods_left, max(0, space)),
        free_s,
        tuple(left),
    )


def _is_being_left(entry: Evacuation, occupied: Mapping[str, int], now_s: float) -> bool:
    if entry.what != "Node" or not entry.is_active(now_s):
        return False
    # a node where nothing was moved, in a dry run, is never empty: it counts for its time
    return bool(occupied.get(entry.name)) or entry.dry


def over_budget(what: str, name: str, spent: Budget, policy: Policy) -> Blocked:
    """``name`` has to wait."""
    if what == "Node":
        busy = ", ".join(spent.nodes) or "others"
        message = (
            f"node {name} waits: {busy} is being left "
            f"(spec.remediation.budget.nodesAtOnce {policy.nodes_at_once})"
        )
    else:
        message = (
            f"pod {name} waits: {policy.pods_per_hour} pods were left within the hour "
            "(spec.remediation.budget.podsPerHour)"
        )
    return Blocked(names.BUDGET_EXHAUSTED, message)
