"""Objects of the mirror and words of pods, made into a ``Seen``.

What is made of an object is kept as long as the object is the same one: a look costs what has
changed since the last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_operator.admin.looks import Looks
from voiceroom_operator.canary.shares import Shares
from voiceroom_operator.canary.shares import changed as shared_anew
from voiceroom_operator.children.marks import PORTS_ANNOTATION, PoolRef
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.kinds import NODES, PODS, POOLS, ROOMS
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.grouping import Groups, differences, regrouped
from voiceroom_operator.observed import Grade, NodeSeen, RoomSeen
from voiceroom_operator.reading.pods import node_seen, pod_seen
from voiceroom_operator.reading.rooms import pool_seen, room_seen
from voiceroom_operator.reading.scalars import ports
from voiceroom_operator.remediation.policy import policy_of
from voiceroom_operator.remediation.records import evacuations
from voiceroom_operator.remediation.windows import History
from voiceroom_operator.round.families import shares_of
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen
from voiceroom_operator.round.specs import Specs

T = TypeVar("T")
_Nodes = Mapping[str, NodeSeen] | None


@dataclass(frozen=True, slots=True)
class _Rooms:
    """All rooms of a namespace, and what they were made of."""

    bodies: Mapping[str, Body] = field(default_factory=dict)
    legs: Mapping[str, int] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    shares: Shares = field(default_factory=dict)
    records: Mapping[str, RoomRecord] = field(default_factory=dict)
    values: Mapping[str, RoomSeen] = field(default_factory=dict)
    bound: Groups[RoomRecord] = field(default_factory=dict)
    others: Groups[RoomRecord] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Look:
    """The last one at a namespace."""

    seen: Seen
    rooms: _Rooms


class Eyes:
    """Makes a ``Seen``."""

    def __init__(
        self,
        mirror: Mirror,
        looks: Looks,
        rooms: Specs[VoiceRoomSpec],
        pools: Specs[MixerPoolSpec],
        nodes_readable: Callable[[], bool],
        unix_s: Callable[[], float],
    ) -> None:
        self.mirror = mirror
        self._looks = looks
        self._room_specs = rooms
        self._pool_specs = pools
        self._nodes_readable = nodes_readable
        self._unix_s = unix_s
        self._last: dict[str, _Look] = {}
        self._pod_records: dict[str, PodRecord] = {}
        self._pool_records: dict[str, PoolRecord] = {}
        self._nodes: dict[str, tuple[Body, NodeSeen]] = {}
        self.read = 0
        """Rooms that were read, ever."""

    def see(self, namespace: str) -> Seen:
        """As of now; the same object as before when nothing has changed."""
        last = self._last.get(namespace) or _Look(_nothing(namespace), _Rooms())
        pods = _same(last.seen.pods, {pod.seen.name: pod for pod in self._pods(namespace)})
        pools = _same(last.seen.pools, {pool.wanted.name: pool for pool in self._pools(namespace)})
        legs = last.rooms.legs if pods is last.seen.pods else _legs(pods)
        strangers = frozenset(name for name, pod in pods.items() if not pod.heard)
        bodies = self.mirror.named(ROOMS, namespace)
        rooms = self._look_at_rooms(bodies, legs, strangers, shares_of(pools), last.rooms)
        nodes = self.nodes()
        nodes = last.seen.nodes if nodes == last.seen.nodes else nodes
        seen = Seen(
            namespace, rooms.records, pools, pods, nodes, rooms.values, rooms.bound, rooms.others
        )
        return self._keep(namespace, _Look(seen, rooms), last).seen

    def _keep(self, namespace: str, look: _Look, last: _Look) -> _Look:
        new, old = look.seen, last.seen
        if not (new.rooms or new.pools or new.pods):
            self._last.pop(namespace, None)
        elif all(getattr(new, part) is getattr(old, part) for part in _PARTS):
            self._last[namespace] = replace(look, seen=old)
        else:
            self._last[namespace] = look
        return self._last.get(namespace, look)

    def forget(self) -> None:
        """Look at everything anew."""
        self._last.clear()
        self._pod_records.clear()
        self._pool_records.clear()
        self._nodes.clear()

    def keep(self, uids: set[str]) -> None:
        """Forget all other rooms, pools and pods."""
        self._pod_records = _kept(self._pod_records, uids)
        self._pool_records = _kept(self._pool_records, uids)
        self._room_specs.keep(uids)
        self._pool_specs.keep(uids)

    def pods(self) -> list[PodRecord]:
        """Of all namespaces."""
        return [pod for n in sorted(self.mirror.namespaces(PODS)) for pod in self._pods(n)]

    def pools(self) -> list[PoolRecord]:
        """Of all namespaces."""
        return [pool for n in sorted(self.mirror.namespaces(POOLS)) for pool in self._pools(n)]

    def history(self, uid: str) -> History:
        """The pod's latest seconds."""
        return self._looks.history(uid)

    def _pods(self, namespace: str) -> Iterator[PodRecord]:
        return map(self._pod, self.mirror.all(PODS, namespace))

    def _pod(self, body: Body) -> PodRecord:
        uid = body["metadata"]["uid"]
        report, heard = self._looks.report(uid), self._looks.has_answered(uid)
        known = self._pod_records.get(uid)
        if known is not None and known.body is body and known.tells(report, heard):
            return known
        owned = [held for held in report.pod.holds if held.role == "owner"]
        runs = frozenset((held.room, held.epoch) for held in owned)
        legs = {held.room: held.legs for held in owned}
        made = PodRecord(body, pod_seen(body, report.pod), report, heard, runs, legs)
        self._pod_records[uid] = made
        return made

    def _pools(self, namespace: str) -> Iterator[PoolRecord]:
        return map(self._pool, self.mirror.all(POOLS, namespace))

    def _pool(self, body: Body) -> PoolRecord:
        metadata = body["metadata"]
        known = self._pool_records.get(metadata["uid"])
        if known is not None and known.body is body:
            return known
        read = self._pool_specs.read(body)
        ref = PoolRef(metadata["name"], metadata["namespace"], metadata["uid"])
        wanted = pool_seen(body, read.spec, read.revision)
        made = PoolRecord(body, read, wanted, ref, policy_of(read.spec))
        self._pool_records[metadata["uid"]] = made
        return made

    def _look_at_rooms(
        self,
        bodies: Mapping[str, Body],
        legs: Mapping[str, int],
        strangers: frozenset[str],
        shares: Shares,
        last: _Rooms,
    ) -> _Rooms:
        recounted = differences(last.legs, legs)
        for pod in last.strangers ^ strangers:
            recounted.extend(last.bound.get(pod, ()))
        moved = shared_anew(last.shares, shares)
        if moved:
            recounted.extend(n for n, r in last.records.items() if r.read.spec.pool_name in moved)
        changed = dict.fromkeys(differences(last.bodies, bodies))
        changed |= dict.fromkeys(name for name in recounted if name in bodies)
        if not changed:
            return replace(last, legs=legs, strangers=strangers, shares=shares)
        records = dict(last.records)
        for name in changed:
            records.pop(name, None)
            if name in bodies:
                count = legs.get(name)
                if count is None:
                    count = _presumed(bodies[name], strangers)
                records[name] = self._room(bodies[name], count, shares, last.values.get(name))
        bound = regrouped(last.bound, last.records, records, changed, _pod_of)
        others = regrouped(last.others, last.records, records, changed, _others_of)
        values = _values(last.values, records, changed)
        return _Rooms(bodies, legs, strangers, shares, records, values, bound, others)

    def _room(self, body: Body, legs: int, shares: Shares, last: RoomSeen | None) -> RoomRecord:
        self.read += 1
        read = self._room_specs.read(body)
        seen = room_seen(body, read.spec, legs, shares)
        return RoomRecord(body, read, last if last is not None and last == seen else seen)

    def nodes(self) -> _Nodes:
        """All nodes; a node's grade is the worst that a pod on it has found."""
        if not self._nodes_readable():
            return None
        grades, quarantined = self._grades(), self._quarantined()
        bodies = self.mirror.named(NODES)
        self._nodes = {n: self._node(body, grades, quarantined) for n, body in bodies.items()}
        return {name: node for name, (_, node) in self._nodes.items()}

    def _node(
        self, body: Body, grades: Mapping[str, Grade], quarantined: set[str]
    ) -> tuple[Body, NodeSeen]:
        name = body["metadata"]["name"]
        grade, bad, known = grades.get(name, ""), name in quarantined, self._nodes.get(name)
        if known is None or known[0] is not body or _knows(known[1]) != (grade, bad):
            return body, node_seen(body, quarantined=bad, grade=grade)
        return known

    def _quarantined(self) -> set[str]:
        """Nodes that any pool does not trust: their clock is the same for all."""
        now_s = self._unix_s()
        return {
            entry.name
            for pool in self.pools()
            if pool.policy.mode == "Enforce"
            for entry in evacuations(pool.body.get("status") or {})
            if entry.what == "Node" and not entry.dry and entry.is_active(now_s)
        }

    def _grades(self) -> dict[str, Grade]:
        found: dict[str, Grade] = {}
        for namespace in self.mirror.namespaces(PODS):
            for body in self.mirror.all(PODS, namespace):
                node = (body.get("spec") or {}).get("nodeName", "")
                grade = self._looks.report(body["metadata"]["uid"]).grade
                if grade:
                    found[node] = max(grade, found.get(node, grade))
        return found

    def foreign_ports(self, pool: PoolRecord) -> frozenset[int]:
        """Ports that pods of other pools have; none when that leaves the pool no block of its
        own: the scheduler then keeps holders of the same port on different nodes."""
        wanted = pool.wanted
        if wanted.ports is None:
            return frozenset()
        held = frozenset(
            port
            for namespace in self.mirror.namespaces(PODS)
            for body in self.mirror.all(PODS, namespace)
            if (namespace, _pool_of(body)) != (pool.ref.namespace, wanted.name)
            for port in ports((body["metadata"].get("annotations") or {}).get(PORTS_ANNOTATION))
        )
        free = any(held.isdisjoint(block) for block in wanted.ports.blocks())
        return held if free else frozenset()


_PARTS = ("rooms", "pools", "pods", "nodes")


def _knows(node: NodeSeen) -> tuple[Grade, bool]:
    """What comes from elsewhere than its object."""
    return node.grade, node.quarantined


def _kept(records: dict[str, T], uids: set[str]) -> dict[str, T]:
    return {uid: record for uid, record in records.items() if uid in uids}


def _nothing(namespace: str) -> Seen:
    return Seen(namespace, {}, {}, {}, None, {}, {}, {})


def _same(last: Mapping[str, T], now: Mapping[str, T]) -> Mapping[str, T]:
    """``last`` where ``now`` has the same objects."""
    return now if differences(last, now) else last


def _values(
    last: Mapping[str, RoomSeen], records: Mapping[str, RoomRecord], changed: Mapping[str, None]
) -> Mapping[str, RoomSeen]:
    now = {name: records[name].seen for name in changed if name in records}
    gone = [name for name in changed if name not in records and name in last]
    if not gone and all(last.get(name) is value for name, value in now.items()):
        return last
    kept = dict(last)
    for name in gone:
        del kept[name]
    return kept | now


def _legs(pods: Mapping[str, PodRecord]) -> dict[str, int]:
    """People of each room, by the word of the pod that runs it."""
    found: dict[str, int] = {}
    for pod in pods.values():
        found |= pod.legs
    return found


def _presumed(body: Body, strangers: frozenset[str]) -> int:
    """People of a room whose pod runs nothing, or was never heard: then there may be some, and the
    room is not bound elsewhere under them."""
    status = body.get("status") or {}
    if status.get("podName") not in strangers:
        return 0
    return max(1, int(status.get("participants", 0)))


def _pod_of(room: RoomRecord) -> tuple[str, ...]:
    return (room.seen.pod,)


def _others_of(room: RoomRecord) -> set[str]:
    target = room.seen.move.to if room.seen.move else ""
    return {room.seen.twin, target} - {"", room.seen.pod}


def _pool_of(body: Body) -> str:
    return str((body["metadata"].get("labels") or {}).get(names.POOL_LABEL, ""))
