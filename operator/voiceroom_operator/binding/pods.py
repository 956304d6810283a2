"""The pods of a namespace as the binding planner looks at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from voiceroom_operator.binding.ledger import Caps, Ledger
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Nodes, PodSeen, RoomSeen, Standing, standing
from voiceroom_operator.pool.crew import is_outdated
from voiceroom_operator.wanted import PoolWanted

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
    ) -> None:
        self.pods = {pod.name: pod for pod in pods}
        self.pools = {pool.name: pool for pool in pools}
        self.ledger = ledger
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

    def serving(self, pool: str) -> list[PodSeen]:
        """Pods of the pool that are in service, full ones too."""
        return self._by_pool[pool]

    def face(self, pod: str) -> Face | None:
        """None = it is not there."""
        seen = self.pods.get(pod)
        if seen is None:
            return None
        alone = self.ledger.load(pod).dedicated > 0
        quarantined = seen.node in self._quarantined
        return Face(self._standing[pod], seen.pool, seen.node, quarantined, alone)

    def places(self) -> frozenset[tuple[str, str]]:
        """Pools and nodes of pods that are in service."""
        return frozenset((pool, pod.node) for pool, pods in self._by_pool.items() for pod in pods)

    def has_elsewhere(self, room: RoomSeen) -> bool:
        """Whether pods of the room's pool are in service on another node than its own."""
        owner = self.pods.get(room.pod)
        here = ("", owner.node) if owner is not None and owner.node else None
        return here is not None and any(pod.node not in here for pod in self.serving(room.pool))

    def best_owner(self, room: RoomSeen) -> PodSeen | None:
        """Where the room is best run: at its twin, else where most of the frame is free."""
        serving = self.serving(room.pool)
        fit = [pod for pod in serving if self._can_own(pod, room)]
        busy = sum(bool(self.ledger.load(pod.name).owned) for pod in serving)
        spread = busy < self.pools[room.pool].size_min
        return min(fit, key=lambda pod: self._rank(pod, room, spread), default=None)

    def best_twin(self, room: RoomSeen) -> PodSeen | None:
        """A pod on another node that could run the room as well."""
        if not self.has_elsewhere(room):
            return None
        here = ("", self.pods[room.pod].node)
        fit = [
            pod
            for pod in self.serving(room.pool)
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
        return apart and twin.pool == room.pool and self._is_free_for(twin, room)

    def shares(self, room: RoomSeen) -> bool:
        """Whether other rooms are in the room's pod."""
        return any(name != room.name for name in self.ledger.load(room.pod).owned)

    def _can_own(self, pod: PodSeen, room: RoomSeen) -> bool:
        if pod.name == room.pod or pod.node in self._quarantined:
            return False
        if not self._is_free_for(pod, room):
            return False
        if pod.name == room.twin:
            return True  # its share is reserved there
        pool = self.pools[room.pool]
        caps = Caps(pool.capacity_rooms, pool.capacity_participants)
        return pod.accepting and self.ledger.takes(pod, room, caps)

    def _is_free_for(self, pod: PodSeen, room: RoomSeen) -> bool:
        """Whether ``placement`` of this room and of those that are there allows it."""
        load = self.ledger.load(pod.name)
        here = room.name in load.owned
        others, dedicated = len(load.owned) - here, load.dedicated - (here and room.dedicated)
        return not dedicated and not (others and room.dedicated)

    def _rank(self, pod: PodSeen, room: RoomSeen, spread: bool) -> tuple[object, ...]:
        """The twin first; then pods in use, so that the spare ones stay free."""
        in_use = spread or bool(self.ledger.load(pod.name).owned)
        return (pod.name != room.twin, not in_use, *self._quality(pod))

    def _quality(self, pod: PodSeen) -> tuple[object, ...]:
        grade = self._grades.get(pod.node, "")
        return (
            is_outdated(pod, self.pools[pod.pool]),
            _GRADES.index(grade) if grade else len(_GRADES),
            -round(self.ledger.headroom(pod), 2),
            len(self.ledger.load(pod.name).owned),
            len(pod.name),
            pod.name,
        )
