"""A namespace as it is on record: objects of the mirror and words of pods, as values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_operator.admin.looks import Looks
from voiceroom_operator.children.marks import PORTS_ANNOTATION, PoolRef
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.kinds import NODES, PODS, POOLS, ROOMS
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.observed import Grade, NodeSeen, PodSeen, RoomSeen
from voiceroom_operator.reading.pods import node_seen, pod_seen
from voiceroom_operator.reading.reports import StatusReport
from voiceroom_operator.reading.rooms import pool_seen, room_seen
from voiceroom_operator.reading.scalars import ports
from voiceroom_operator.round.specs import Read, Specs
from voiceroom_operator.wanted import PoolWanted

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A VoiceRoom."""

    body: Body
    read: Read[VoiceRoomSpec]
    seen: RoomSeen


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """A MixerPool."""

    body: Body
    read: Read[MixerPoolSpec]
    wanted: PoolWanted
    ref: PoolRef


@dataclass(frozen=True, slots=True)
class PodRecord:
    """A mixer pod, and its newest word."""

    body: Body
    seen: PodSeen
    report: StatusReport
    heard: bool
    """It has answered a look."""

    def tells(self, report: StatusReport, heard: bool) -> bool:
        """Whether nothing new was heard of it."""
        return self.report is report and self.heard == heard


@dataclass(frozen=True, slots=True)
class Seen:
    """All of a namespace, by name."""

    namespace: str
    rooms: Mapping[str, RoomRecord]
    pools: Mapping[str, PoolRecord]
    pods: Mapping[str, PodRecord]
    nodes: Mapping[str, NodeSeen] | None
    """None: the operator may not read them."""

    def pods_of(self, pool: str) -> tuple[PodRecord, ...]:
        """Of one pool."""
        return tuple(pod for pod in self.pods.values() if pod.seen.pool == pool)


class Eyes:
    """Makes a ``Seen``. What has not changed since the last one is the same value again: bodies
    and reports are replaced, never changed."""

    def __init__(
        self,
        mirror: Mirror,
        looks: Looks,
        rooms: Specs[VoiceRoomSpec],
        pools: Specs[MixerPoolSpec],
        nodes_readable: Callable[[], bool],
    ) -> None:
        self.mirror = mirror
        self._looks = looks
        self._rooms = rooms
        self._pools = pools
        self._nodes_readable = nodes_readable
        self._pod_records: dict[str, PodRecord] = {}
        self._room_records: dict[str, RoomRecord] = {}

    def keep(self, uids: set[str]) -> None:
        """Forget objects that are gone."""
        self._pod_records = _kept(self._pod_records, uids)
        self._room_records = _kept(self._room_records, uids)
        self._rooms.keep(uids)
        self._pools.keep(uids)

    def see(self, namespace: str) -> Seen:
        """As of now."""
        pods = {pod.seen.name: pod for pod in map(self._pod, self.mirror.all(PODS, namespace))}
        legs = _legs(pods.values())
        rooms = (self._room(body, legs) for body in self.mirror.all(ROOMS, namespace))
        pools = map(self._pool, self.mirror.all(POOLS, namespace))
        return Seen(
            namespace,
            rooms={room.seen.name: room for room in rooms},
            pools={pool.wanted.name: pool for pool in pools},
            pods=pods,
            nodes=self.nodes(),
        )

    def nodes(self) -> dict[str, NodeSeen] | None:
        """All nodes; a node's grade is the worst that a pod on it has found."""
        if not self._nodes_readable():
            return None
        grades = self._grades()
        seen = (node_seen(body) for body in self.mirror.all(NODES))
        return {node.name: replace(node, grade=grades.get(node.name, "")) for node in seen}

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

    def _pod(self, body: Body) -> PodRecord:
        uid = body["metadata"]["uid"]
        report, heard = self._looks.report(uid), self._looks.has_answered(uid)
        known = self._pod_records.get(uid)
        if known is not None and known.body is body and known.tells(report, heard):
            return known
        made = PodRecord(body, pod_seen(body, report.pod), report, heard)
        self._pod_records[uid] = made
        return made

    def _room(self, body: Body, legs: Mapping[str, int]) -> RoomRecord:
        uid, name = body["metadata"]["uid"], body["metadata"]["name"]
        inside, known = legs.get(name, 0), self._room_records.get(uid)
        if known is not None and known.body is body and known.seen.legs == inside:
            return known
        read = self._rooms.read(body)
        made = RoomRecord(body, read, room_seen(body, read.spec, inside))
        self._room_records[uid] = made
        return made

    def _pool(self, body: Body) -> PoolRecord:
        metadata, read = body["metadata"], self._pools.read(body)
        ref = PoolRef(metadata["name"], metadata["namespace"], metadata["uid"])
        return PoolRecord(body, read, pool_seen(body, read.spec, read.revision), ref)


def _kept(records: dict[str, R], uids: set[str]) -> dict[str, R]:
    return {uid: record for uid, record in records.items() if uid in uids}


def _pool_of(body: Body) -> str:
    return str((body["metadata"].get("labels") or {}).get(names.POOL_LABEL, ""))


def _legs(pods: Iterable[PodRecord]) -> dict[str, int]:
    """People of each room, by the word of the pod that runs it."""
    return {
        held.room: held.legs
        for pod in pods
        for held in pod.report.pod.holds
        if held.role == "owner"
    }
