"""The pods of a namespace as the binding planner looks at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from voiceroom_operator.binding.epochs import Claim
from voiceroom_operator.binding.ledger import Caps, Ledger
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Nodes, PodSeen, RoomSeen, Standing, standing
from voiceroom_operator.pool.crew import is_outdated
from voiceroom_operator.wanted import PoolWanted

_GRADES = "ABC"


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
        self._lost_after_s = limits.lost_after_s
        self._standing = {pod.name: standing(pod, nodes, limits) for pod in pods}
        self._quarantined = {node.name for node in (nodes or {}).values() if node.quarantined}
        self._grades = {node.name: node.grade for node in (nodes or {}).values()}
        self._by_pool: dict[str, list[PodSeen]] = defaultdict(list)
        for pod in pods:
            if self._standing[pod.name] is Standing.SERVING:
                self._by_pool[pod.pool].append(pod)
        self.claims: Mapping[str, list[Claim]] = _claims(
            pod for pod in pods if self._standing[pod.name] is not Standing.LOST
        )

    def standing(self, pod: str) -> Standing:
        """A pod that is not there any more is lost."""
        return self._standing.get(pod, Standing.LOST)

    def serving(self, pool: str) -> list[PodSeen]:
        """Pods of the pool that are in service, full ones too."""
        return self._by_pool[pool]

    def best_owner(self, room: RoomSeen) -> PodSeen | None:
        """Where the room is best run: at its twin, else where most of the frame is free."""
        serving = self.serving(room.pool)
        fit = [pod for pod in serving if self._can_own(pod, room)]
        busy = sum(bool(self.ledger.load(pod.name).owned) for pod in serving)
        spread = busy < self.pools[room.pool].size_min
        return min(fit, key=lambda pod: self._rank(pod, room, spread), default=None)

    def best_twin(self, room: RoomSeen) -> PodSeen | None:
        """A pod on another node that could run the room as well."""
        owner = self.pods.get(room.pod)
        if owner is None or not owner.node:
            return None
        fit = [
            pod
            for pod in self.serving(room.pool)
            if pod.node not in ("", owner.node) and self._can_own(pod, room)
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

    def is_silent(self, pod: PodSeen) -> bool:
        """It may be Ready, and keeps its rooms; but nobody could tell it of another one."""
        return pod.silent_s > self._lost_after_s

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


def _claims(pods: Iterable[PodSeen]) -> dict[str, list[Claim]]:
    claims: dict[str, list[Claim]] = defaultdict(list)
    for pod in pods:
        for held in pod.holds:
            if held.role == "owner":
                claims[held.room].append((pod, held))
    return claims
