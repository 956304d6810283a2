"""What is known of rooms and pools, gathered for their statuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from voiceroom_api import names
from voiceroom_operator.binding.addresses import PodAddresses, advertised
from voiceroom_operator.binding.decisions import Unplaced, Waiting
from voiceroom_operator.binding.request import Answer
from voiceroom_operator.children.marks import selector
from voiceroom_operator.cluster.kinds import NODES
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import RoomSeen, Standing, standing
from voiceroom_operator.pool.actions import PoolPlan
from voiceroom_operator.pool.crew import PoolObserved, muster
from voiceroom_operator.remediation.case import Remedies
from voiceroom_operator.remediation.records import budget_dict
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen
from voiceroom_operator.status.facts import Granted, RealtimeMode, Remedy, Timeliness
from voiceroom_operator.status.moves import Arrival
from voiceroom_operator.status.pool import PoolFacts
from voiceroom_operator.status.refusals import Refusal
from voiceroom_operator.status.room import RoomFacts

NO_NODES = Remedy(
    True,
    names.NODES_NOT_READABLE,
    "the operator may not read nodes: cordons are not seen; install the ClusterRole that allows it",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What the plans of a round say beside what they do."""

    unplaced: Mapping[str, Unplaced] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    refusals: Mapping[str, Refusal] = field(default_factory=dict)
    """By pool."""
    answers: Mapping[str, Answer] = field(default_factory=dict)


class Facts:
    """Of one namespace."""

    def __init__(
        self,
        seen: Seen,
        said: Said,
        mirror: Mirror,
        limits: Limits,
        remedies: Mapping[str, Remedies],
    ) -> None:
        """``remedies``: by pool."""
        self._seen = seen
        self._said = said
        self._mirror = mirror
        self._limits = limits
        self._remedies = remedies
        self._running = {
            (pod.seen.name, held.room): held.epoch
            for pod in seen.pods.values()
            for held in pod.report.pod.holds
            if held.role == "owner"
        }
        self._standing = {
            pod.seen.name: standing(pod.seen, seen.nodes, limits) for pod in seen.pods.values()
        }
        self._media: dict[str, tuple[str, ...]] = {}

    def of_room(self, record: RoomRecord, room: RoomSeen) -> RoomFacts:
        """``room``: as it will be on record, which may be ahead of ``record``."""
        pool = self._seen.pools.get(room.pool)
        pod = self._seen.pods.get(room.pod)
        unplaced = self._said.unplaced.get(room.name) if not room.pod else None
        heard = pod is not None and pod.heard
        return RoomFacts(
            room=room,
            generation=record.read.generation,
            realtime=_realtime(pod, pool),
            pod=pod.seen if pod else None,
            standing=self._standing.get(room.pod, Standing.LOST),
            confirmed=self._running.get((room.pod, room.name)) == room.epoch,
            url=self.url(record, pod),
            udp=self.media(pod),
            participants=pod.report.participants.get(room.name, 0) if pod else 0,
            timing=self._timing(pod) if pod and heard else Timeliness(),
            remedy=self._room_remedy(record, pool),
            unplaced=unplaced,
            waiting=self._said.waiting.get(room.name),
            answer=self._said.answers.get(room.name),
            refusal=self._said.refusals.get(room.pool) if unplaced else None,
            arrival=pod.report.arrivals.get(room.name, Arrival()) if pod else Arrival(),
        )

    def url(self, record: RoomRecord, pod: PodRecord | None) -> str:
        """The room's address for people: by the pool that has it."""
        pool = self._seen.pools.get(pod.seen.pool if pod else record.seen.pool)
        given = pool.read.spec.network.public_url if pool else None
        namespace, name = self._seen.namespace, pool.ref.object_name() if pool else ""
        base = given or (f"http://{name}.{namespace}.svc" if name else "")
        return f"{base.rstrip('/')}/rooms/{record.seen.name}" if base else ""

    def addresses(self, pod: PodRecord) -> tuple[str, ...]:
        """At which clients reach the pod's media."""
        pool = self._seen.pools.get(pod.seen.pool)
        if pool is None:
            return ()
        status = pod.body.get("status") or {}
        known = PodAddresses(
            pod_ips=_ips(status.get("podIPs"), status.get("podIP")),
            host_ips=_ips(status.get("hostIPs"), status.get("hostIP")),
            node=self._node_addresses(pod.seen.node),
        )
        return advertised(pool.read.spec.network, known)

    def media(self, pod: PodRecord | None) -> tuple[str, ...]:
        """``ADDRESS:PORT`` of each address and media process."""
        if pod is None:
            return ()
        if pod.seen.name not in self._media:
            self._media[pod.seen.name] = self._media_of(pod)
        return self._media[pod.seen.name]

    def _media_of(self, pod: PodRecord) -> tuple[str, ...]:
        hosts = map(_host, self.addresses(pod))
        return tuple(f"{host}:{port}" for host in hosts for port in _media_ports(pod))[:16]

    def peer(self, pod: PodRecord) -> str:
        """Where other mixers reach the pod's first media process; empty = not yet."""
        status = pod.body.get("status") or {}
        ips, ports = _ips(status.get("podIPs"), status.get("podIP")), _media_ports(pod)
        return f"{_host(ips[0])}:{ports[0]}" if ips and ports else ""

    def _node_addresses(self, node: str) -> dict[str, tuple[str, ...]] | None:
        body = self._mirror.get(NODES, "", node) if self._seen.nodes is not None else None
        if body is None:
            return None
        found: dict[str, tuple[str, ...]] = {}
        for entry in (body.get("status") or {}).get("addresses") or ():
            kind = str(entry.get("type"))
            found[kind] = (*found.get(kind, ()), str(entry.get("address")))
        return found

    def _room_remedy(self, record: RoomRecord, pool: PoolRecord | None) -> Remedy:
        own = record.read.spec.remediation
        if own.paused is not None:
            return Remedy(True, names.PAUSED, f"spec.remediation.paused: {own.paused.reason}")
        mode = own.mode or (pool.read.spec.remediation.mode if pool else "Enforce")
        usual = _remedy(mode, readable=self._seen.nodes is not None)
        held = self._of(pool).held.get(record.seen.name) if pool else None
        return Remedy(True, held.reason, held.message) if held is not None else usual

    def _of(self, pool: PoolRecord) -> Remedies:
        return self._remedies.get(pool.wanted.name, Remedies())

    def _timing(self, pod: PodRecord) -> Timeliness:
        """The pod's word, and what the operator holds against it."""
        cause = self._remedies.get(pod.seen.pool, Remedies()).causes.get(pod.seen.name, "")
        return replace(pod.report.timing, suspicion=cause) if cause else pod.report.timing

    def of_pool(self, pool: PoolRecord, plan: PoolPlan, observed: PoolObserved) -> PoolFacts:
        """``observed``: as the plan was made from it, with the pods as they are now."""
        pods = self._seen.pods_of(pool.wanted.name)
        rooms = [room.seen for room in self._seen.rooms.values()]
        names_of = {pod.seen.name for pod in pods}
        remedies = self._of(pool)
        nodes = {pod.seen.node for pod in pods} | remedies.quarantined.keys()
        return PoolFacts(
            wanted=pool.wanted,
            plan=plan,
            crew=muster(pool.wanted, observed, self._limits),
            generation=pool.read.generation,
            selector=selector(pool.ref),
            realtime=_pool_realtime(pods, pool.read.spec.realtime.mode),
            rooms=sum(room.pod in names_of for room in rooms),
            participants=sum(sum(pod.report.participants.values()) for pod in pods),
            nodes=tuple(node for node in (self._seen.nodes or {}).values() if node.name in nodes),
            quarantined_until_s=remedies.quarantined,
            budget=self._budget(pool),
            timing=_worst(self._timing(pod) for pod in pods if pod.heard),
            remedy=self._pool_remedy(pool),
            refusal=self._said.refusals.get(pool.wanted.name),
        )

    def _budget(self, pool: PoolRecord) -> dict[str, object] | None:
        found = self._remedies.get(pool.wanted.name)
        if found is None:
            return None
        return budget_dict(found.record, found.nodes_left, found.pods_left, found.alarms)

    def _pool_remedy(self, pool: PoolRecord) -> Remedy:
        """The mode, then what holds something back now, then what is never seen."""
        mode, blocked = pool.read.spec.remediation.mode, self._of(pool).blocked
        usual = _remedy(mode, readable=self._seen.nodes is not None)
        if mode == "Enforce" and blocked is not None:
            return Remedy(True, blocked.reason, blocked.message)
        return usual


def _realtime(pod: PodRecord | None, pool: PoolRecord | None) -> Granted:
    if pod is not None and pod.heard:
        return pod.report.realtime
    return Granted(pool.read.spec.realtime.mode if pool else "Quota")


def _pool_realtime(pods: Iterable[PodRecord], mode: RealtimeMode) -> Granted:
    """Refused where one pod was refused; granted where all that have said were granted."""
    said = [pod.report.realtime for pod in pods if pod.heard and not pod.seen.failed]
    refused = [granted for granted in said if granted.granted is False]
    granted = [granted for granted in said if granted.granted]
    return next(iter(refused + granted), Granted(mode))


def _worst(timings: Iterable[Timeliness]) -> Timeliness:
    known = [timing for timing in timings if timing.p99_ms is not None or timing.suspicion]
    return max(known, key=lambda t: (bool(t.fault()), t.p99_ms or 0.0), default=Timeliness())


def _remedy(mode: str, *, readable: bool) -> Remedy:
    if mode == "Off":
        return Remedy(True, names.SWITCHED_OFF, "spec.remediation.mode is Off")
    if mode == "DryRun":
        return Remedy(True, names.DRY_RUN, "spec.remediation.mode is DryRun")
    return Remedy() if readable else NO_NODES


def _media_ports(pod: PodRecord) -> list[int]:
    """Of each media process."""
    containers = (pod.body.get("spec") or {}).get("containers") or ()
    return [
        port["containerPort"]
        for container in containers
        for port in container.get("ports") or ()
        if str(port.get("name", "")).startswith("media-")
    ]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _ips(many: object, one: object) -> tuple[str, ...]:
    listed = many if isinstance(many, list) else []
    found = tuple(str(entry["ip"]) for entry in listed if entry.get("ip"))
    return found or ((one,) if isinstance(one, str) and one else ())
