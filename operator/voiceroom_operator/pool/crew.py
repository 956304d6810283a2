"""The pods of a pool, sorted by what they are good for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import (
    Nodes,
    PodSeen,
    Standing,
    is_displaced,
    is_leaving,
    standing,
)
from voiceroom_operator.wanted import PoolWanted


@dataclass(frozen=True, slots=True)
class Demand:
    """Rooms that found no pod."""

    rooms: int = 0
    legs: int = 0
    """People in those rooms."""
    dedicated: int = 0
    """Rooms that want a pod alone, not counted in ``rooms``."""


@dataclass(frozen=True, slots=True)
class PoolObserved:
    """What there is of one pool."""

    pods: tuple[PodSeen, ...] = ()
    nodes: Nodes = None
    demand: Demand = Demand()
    bound: Mapping[str, int] | None = None
    """Rooms that are bound to each pod, the decisions of this round included."""
    reserved: frozenset[str] = frozenset()
    """Names of pods that rooms still refer to."""
    drifting: frozenset[str] = frozenset()
    """Uids of pods that are out of service on account of drift."""
    avoid: frozenset[str] = frozenset()
    """Nodes on which no pod is made now."""
    foreign_ports: frozenset[int] = frozenset()
    """Ports of nodes that other pools may deal out."""

    def bound_to(self, pod: PodSeen) -> int:
        """How many rooms are bound to ``pod``."""
        return (self.bound or {}).get(pod.name, 0)


@dataclass(frozen=True, slots=True)
class Crew:
    """Every pod of the pool in one of these."""

    serving: tuple[PodSeen, ...]
    unready: tuple[PodSeen, ...]
    """On their way, or not Ready for a moment."""
    portless: tuple[PodSeen, ...]
    """The scheduler finds their ports taken on every node: another block may do better."""
    leaving: tuple[PodSeen, ...]
    lost: tuple[PodSeen, ...]
    """They failed, or are silent on a node that is not heard of either."""
    busy: frozenset[str]
    """Those that run or relay a room, or are about to."""
    drifting: frozenset[str] = frozenset()
    """Uids of those that are left on account of drift."""

    @property
    def live(self) -> tuple[PodSeen, ...]:
        """Those that count towards the pool's size."""
        return self.serving + self.unready

    def is_busy(self, pod: PodSeen) -> bool:
        """Whether people may depend on it."""
        return pod.name in self.busy


def muster(wanted: PoolWanted, observed: PoolObserved, limits: Limits) -> Crew:
    """Sort the pods; each group in the order of their ordinals."""
    groups: dict[Standing, list[PodSeen]] = {kind: [] for kind in Standing}
    for pod in sorted(observed.pods, key=lambda pod: (len(pod.name), pod.name)):
        groups[_standing(pod, wanted, observed, limits)].append(pod)
    unready = groups[Standing.UNREADY]
    lost = tuple(groups[Standing.LOST])
    return Crew(
        serving=tuple(groups[Standing.SERVING]),
        unready=tuple(pod for pod in unready if pod.stuck != "Ports"),
        portless=tuple(pod for pod in unready if pod.stuck == "Ports"),
        leaving=tuple(groups[Standing.LEAVING]),
        lost=lost,
        busy=frozenset(
            pod.name for pod in observed.pods if pod not in lost and _is_busy(pod, observed)
        ),
        drifting=observed.drifting,
    )


def _standing(pod: PodSeen, wanted: PoolWanted, observed: PoolObserved, limits: Limits) -> Standing:
    """A silent pod on a living node still counts: its kubelet starts the container again, and to
    make another pod for each that crashes at start would never end. One whose drain has no cause
    any more counts as well: its mark is taken away by the same plan."""
    found = standing(pod, observed.nodes, limits)
    node = (observed.nodes or {}).get(pod.node)
    if found is Standing.LOST and (pod.failed or (node is not None and not node.ready)):
        return found
    if pod.uid in observed.drifting:
        return Standing.LEAVING
    if is_leaving(pod, observed.nodes) and not may_return(pod, wanted, observed.nodes):
        return Standing.LEAVING
    silent = found is Standing.LOST
    return Standing.SERVING if pod.ready and not silent else Standing.UNREADY


def may_return(pod: PodSeen, wanted: PoolWanted, nodes: Nodes) -> bool:
    """Whether the pod was taken out of service for a cause that is no more: an uncordoned node, a
    rollout taken back, a timer that has kept time again (who drifts still is asked before)."""
    if pod.deleting or wanted.deleting or is_displaced(pod, nodes) or not pod.drain_reason:
        return False
    return pod.drain_reason != "Rollout" or not is_outdated(pod, wanted)


def _is_busy(pod: PodSeen, observed: PoolObserved) -> bool:
    return bool(observed.bound_to(pod) or pod.owned_rooms() or pod.relays)


def is_outdated(pod: PodSeen, wanted: PoolWanted) -> bool:
    """Whether the pool would make the pod otherwise today."""
    if pod.revision != wanted.revision:
        return True
    return wanted.ports is not None and not wanted.ports.holds(pod.ports)
