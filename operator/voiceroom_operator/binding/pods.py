"""The pods of a namespace as the binding planner looks at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from voiceroom_operator.binding.ledger import Caps, Ledger
from voiceroom_operator.binding.orders import NO_ORDERS, Orders
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import (
    Nodes,
    PodSeen,
    RoomSeen,
    Standing,
    is_displaced,
    standing,
)
from voiceroom_operator.pool.crew import is_outdated
from voiceroom_operator.wanted import PoolWanted

MISSED_S: Final = 1.0
"""Pods are asked once a second: a look without an answer."""
_GRADES = "ABC"


@dataclass(frozen=True, slots=True)
class Face:
    """What of a pod matters to rooms that have it and go on as they are."""

    standing: Standing
    pool: str
    node: str
    quarantined: bool
    dedicated: bool
    """It has a room that wants to be alone."""


class Fleet:
    """Which pods there are, and which of them a room may go to."""

    def __init__(
        self,
        pods: Collection[PodSeen],
        pools: Iterable[PoolWanted],
        nodes: Nodes,
        ledger: Ledger,
        limits: Limits,
        orders: Orders = NO_ORDERS,
    ) -> None:
        self.pods = {pod.name: pod for pod in pods}
        self.pools = {pool.name: pool for pool in pools}
        self.ledger = ledger
        self._orders = orders
        self._displaced = {pod.name for pod in pods if is_displaced(pod, nodes)}
        self._lost_after_s = limits.lost_after_s
        self._standing = {pod.name: standing(pod, nodes, limits) for pod in pods}
        self._quarantined = {node.name for node in (nodes or {}).values() if node.quarantined}
        self._grades = {node.name: node.grade for node in (nodes or {}).values()}
        self._by_pool: dict[str, list[PodSeen]] = defaultdict(list)
        for pod in pods:
            if self._standing[pod.name] is Standing.SERVING:
                self._by_pool[pod.pool].append(pod)

    def standing(self, pod: str) -> Standing:
        """A pod that is not there any more is lost."""
        return self._standing.get(pod, Standing.LOST)

    def drains(self, pod: str) -> bool:
        """It is on its way out, and that not only for its timer."""
        if self.standing(pod) is not Standing.LEAVING:
            return False
        seen = self.pods[pod]
        return seen.deleting or pod in self._displaced or seen.drain_reason != "Drift"

    def serving(self, pool: str) -> list[PodSeen]:
        """Pods of the pool that are in service, full ones too."""
        return self._by_pool[pool]

    def is_quarantined(self, node: str) -> bool:
        """It is not trusted."""
        return node in self._quarantined

    def face(self, pod: str) -> Face | None:
        """None = it is not there."""
        seen = self.pods.get(pod)
        if seen is None:
            return None
        alone = self.ledger.load(pod).dedicated > 0
        quarantined = self.is_quarantined(seen.node)
        return Face(self._standing[pod], seen.pool, seen.node, quarantined, alone)

    def places(self) -> frozenset[tuple[str, str]]:
        """Pools and nodes of pods that are in service."""
        return frozenset((pool, pod.node) for pool, pods in self._by_pool.items() for pod in pods)

    def has_elsewhere(self, room: RoomSeen) -> bool:
        """Whether pods that could be its twin are in service on another node than its own."""
        owner = self.pods.get(room.pod)
        here = ("", owner.node) if owner is not None and owner.node else None
        others = self.serving(room.twin_pool)
        return here is not None and any(pod.node not in here for pod in others)

    def best_owner(self, room: RoomSeen, on: str = "", off: str = "") -> PodSeen | None:
        """Where the room is best run: at its twin, else where most of the frame is free. ``on``,
        ``off``: a node that it has to be on, or off."""
        serving = self.serving(room.pool)
        fit = [
            pod
            for pod in serving
            if on in ("", pod.node) and pod.node != off and self._can_own(pod, room)
        ]
        busy = sum(bool(self.ledger.load(pod.name).owned) for pod in serving)
        spread = busy < self.pools[room.pool].size_min
        return min(fit, key=lambda pod: self._rank(pod, room, spread), default=None)

    def is_canarys(self, room: RoomSeen) -> bool:
        """Whether the room is in another pool than it ought to be because of a canary, which gives
        it back, or takes it on."""
        here, there = self.pools.get(self.pods[room.pod].pool), self.pools.get(room.pool)
        if here is None or there is None:
            return False
        return here.canary_of == there.name or there.canary_of == here.name

    def best_twin(self, room: RoomSeen) -> PodSeen | None:
        """A pod on another node that could run the room as well."""
        if not self.has_elsewhere(room):
            return None
        here = ("", self.pods[room.pod].node)
        fit = [
            pod
            for pod in self.serving(room.twin_pool)
            if pod.node not in here and self._can_own(pod, room)
        ]
        return min(fit, key=lambda pod: self._quality(pod), default=None)

    def is_fit_twin(self, room: RoomSeen) -> bool:
        """Whether the twin that the room has still serves its purpose."""
        twin, owner = self.pods.get(room.twin), self.pods.get(room.pod)
        if twin is None or self.standing(twin.name) in (Standing.LOST, Standing.LEAVING):
            return False
        apart = owner is None or twin.node != owner.node
        apart &= twin.node not in self._quarantined
        return apart and twin.pool == room.twin_pool and self._is_free_for(twin, room)

    def is_silent(self, pod: PodSeen) -> bool:
        """It may be Ready, and keeps its rooms; but nobody could tell it of another one."""
        return pod.silent_s > self._lost_after_s

    def can_take_part(self, pod: str, pool: str) -> bool:
        """Whether a room that is to come to ``pod`` can. One that is being emptied can, and is left
        again after; so can one that the kubelet finds not Ready for a moment, as long as its
        containers run and it answers. One that is deleted has no time left for it."""
        seen = self.pods.get(pod)
        if seen is None or seen.pool != pool or seen.deleting or seen.disrupted:
            return False
        if self.standing(pod) is Standing.LOST or self.is_silent(seen):
            return False
        return seen.ready or (seen.started_s > 0 and seen.silent_s < MISSED_S)

    def shares(self, room: RoomSeen) -> bool:
        """Whether other rooms are in the room's pod."""
        return any(name != room.name for name in self.ledger.load(room.pod).owned)

    def _can_own(self, pod: PodSeen, room: RoomSeen) -> bool:
        if pod.name == room.pod or pod.node in self._quarantined:
            return False
        if room.name in self._orders.drift and pod.name in self._orders.unfit:
            return False
        if not self._is_free_for(pod, room):
            return False
        if pod.name == room.twin:
            return True  # its share is reserved there
        pool = self.pools[pod.pool]
        caps = Caps(pool.capacity_rooms, pool.capacity_participants)
        if not pod.accepting or self.is_silent(pod):
            return False
        return self.ledger.takes(pod, room, caps)

    def _is_free_for(self, pod: PodSeen, room: RoomSeen) -> bool:
        """Whether ``placement`` of this room and of those that are there allows it."""
        load = self.ledger.load(pod.name)
        here = room.name in load.owned
        others, dedicated = len(load.owned) - here, load.dedicated - (here and room.dedicated)
        return not dedicated and not (others and room.dedicated)

    def _rank(self, pod: PodSeen, room: RoomSeen, spread: bool) -> tuple[object, ...]:
        """The twin first; then pods in use, so that the spare ones stay free."""
        in_use = spread or bool(self.ledger.load(pod.name).owned)
        bad = pod.name in self._orders.bad
        return (bad, pod.name != room.twin, not in_use, *self._quality(pod))

    def _quality(self, pod: PodSeen) -> tuple[object, ...]:
        grade = self._grades.get(pod.node, "")
        return (
            pod.name in self._orders.bad,
            is_outdated(pod, self.pools[pod.pool]),
            _GRADES.index(grade) if grade else len(_GRADES),
            -round(self.ledger.headroom(pod), 2),
            len(self.ledger.load(pod.name).owned),
            len(pod.name),
            pod.name,
        )
