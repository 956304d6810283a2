"""What is known of rooms and pools, gathered for their statuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_operator.binding.assignment import spread
from voiceroom_operator.binding.decisions import BindingPlan, Unplaced, Waiting
from voiceroom_operator.binding.request import Answer
from voiceroom_operator.canary.case import Trial
from voiceroom_operator.children.marks import selector
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import PodSeen, RoomSeen, Standing, standing
from voiceroom_operator.pool.actions import PoolPlan
from voiceroom_operator.pool.crew import PoolObserved, muster
from voiceroom_operator.remediation.case import Remedies
from voiceroom_operator.remediation.records import budget_dict
from voiceroom_operator.round.doors import Door
from voiceroom_operator.round.families import head_of, pods_of_family
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen
from voiceroom_operator.round.specs import Read
from voiceroom_operator.status.facts import Granted, RealtimeMode, Remedy, Timeliness
from voiceroom_operator.status.moves import Arrival
from voiceroom_operator.status.pool import PoolFacts
from voiceroom_operator.status.refusals import Refusal
from voiceroom_operator.status.room import RoomFacts

NO_TRIALS: Final[Mapping[str, Trial]] = {}
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
    trials: Mapping[str, Trial] = field(default_factory=dict)
    """By canary."""


def said_of(
    binding: BindingPlan,
    refusals: Mapping[str, Refusal],
    trials: Mapping[str, Trial] = NO_TRIALS,
) -> Said:
    """Of the plans of a round."""
    return Said(
        unplaced={entry.room: entry for entry in binding.unplaced},
        waiting={entry.room: entry for entry in binding.waiting},
        answers=binding.answers,
        refusals=refusals,
        trials=trials,
    )


@dataclass(frozen=True, slots=True)
class Host:
    """What a pod is to each of its rooms."""

    pod: PodSeen | None = None
    """Without what changes from look to look and is no room's matter."""
    standing: Standing = Standing.LOST
    realtime: Granted | None = None
    """None until the pod has said."""
    timing: Timeliness = field(default_factory=Timeliness)
    udp: tuple[str, ...] = ()
    rooms_url: str = ""


@dataclass(frozen=True, slots=True)
class Climate:
    """What the statuses of a pod's rooms depend on beside the rooms themselves. Where it is the
    same, and a room is, so is its status, unless the plans of the round say something of it."""

    host: Host
    runs: frozenset[tuple[str, int]]
    participants: Mapping[str, int]
    arrivals: Mapping[str, Arrival]
    pools: Mapping[str, Read[MixerPoolSpec]]
    nodes_readable: bool


class Facts:
    """Of one namespace."""

    def __init__(
        self,
        seen: Seen,
        said: Said,
        doors: Mapping[str, Door],
        limits: Limits,
        remedies: Mapping[str, Remedies],
        now_s: float,
    ) -> None:
        """``doors``: of each pod of ``seen``. ``remedies``: by pool. ``now_s``: Unix time."""
        self._now_s = now_s
        self._seen = seen
        self._said = said
        self._doors = doors
        self._limits = limits
        self._remedies = remedies
        self._hosts: dict[str, Host] = {}
        self._pools = {name: pool.read for name, pool in seen.pools.items()}
        self._special = {*said.waiting, *said.answers}.union(*(r.held for r in remedies.values()))

    def climate(self, pod: str) -> Climate:
        """Of the rooms of the pod of this name."""
        record = self._seen.pods.get(pod)
        return Climate(
            self.host(pod),
            record.runs if record else frozenset(),
            record.report.participants if record else {},
            record.report.arrivals if record else {},
            self._pools,
            self._seen.nodes is not None,
        )

    def special(self, rooms: Mapping[str, RoomRecord]) -> set[str]:
        """Those of ``rooms`` of which the plans of this round say something."""
        return {name for name in self._special if name in rooms}

    def host(self, pod: str) -> Host:
        """The pod of this name."""
        if pod not in self._hosts:
            record = self._seen.pods.get(pod)
            self._hosts[pod] = self._host(record) if record else Host()
        return self._hosts[pod]

    def _host(self, pod: PodRecord) -> Host:
        plain = replace(pod.seen, holds=(), relays=0, headroom=None, silent_s=0.0, accepting=True)
        return Host(
            pod=plain,
            standing=standing(pod.seen, self._seen.nodes, self._limits),
            realtime=pod.report.realtime if pod.heard else None,
            timing=self._timing(pod) if pod.heard else Timeliness(),
            udp=self._doors[pod.seen.name].udp,
            rooms_url=self._rooms_url(pod.seen.pool),
        )

    def of_room(self, record: RoomRecord, room: RoomSeen) -> RoomFacts:
        """``room``: as it will be on record, which may be ahead of ``record``."""
        host, pod = self.host(room.pod), self._seen.pods.get(room.pod)
        pool = self._seen.pools.get(room.pool)
        unplaced = self._said.unplaced.get(room.name) if not room.pod else None
        return RoomFacts(
            room=room,
            generation=record.read.generation,
            realtime=host.realtime or Granted(pool.read.spec.realtime.mode if pool else "Quota"),
            pod=host.pod,
            standing=host.standing,
            confirmed=pod is not None and (room.name, room.epoch) in pod.runs,
            url=self.url(room, host),
            udp=host.udp,
            participants=_participants(record, room, pod),
            timing=host.timing,
            remedy=self._room_remedy(record, pool),
            unplaced=unplaced,
            waiting=self._said.waiting.get(room.name),
            answer=self._said.answers.get(room.name),
            refusal=self._said.refusals.get(room.pool) if unplaced else None,
            arrival=pod.report.arrivals.get(room.name, Arrival()) if pod else Arrival(),
        )

    def url(self, room: RoomSeen, host: Host) -> str:
        """The room's address for people: by the pool that has it."""
        base = host.rooms_url if host.pod else self._rooms_url(room.pool)
        return f"{base}/rooms/{room.name}" if base else ""

    def _rooms_url(self, pool_name: str) -> str:
        pool = self._seen.pools.get(head_of(self._seen.pools, pool_name))
        if pool is None:
            return ""
        given = pool.read.spec.network.public_url
        return (given or f"http://{pool.ref.object_name()}.{self._seen.namespace}.svc").rstrip("/")

    def addresses(self, pod: PodRecord) -> tuple[str, ...]:
        """At which clients reach the pod's media."""
        return self._doors[pod.seen.name].addresses

    def peers(self, pool: str) -> dict[str, str]:
        """By pod of the pool, and of its canary: where other mixers reach its first media process,
        if they do. The first few are on as many nodes as there are."""
        found = (one.seen for one in pods_of_family(self._seen, pool))
        ready = {one.name: one.node for one in found if one.ready and not one.deleting}
        return {name: peer for name in spread(ready) if (peer := self._doors[name].peer)}

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
        found = self._remedies.get(pod.seen.pool, Remedies())
        cause = found.causes.get(pod.seen.name, "")
        timing = _helped(pod.report.timing, found.in_place.get(pod.seen.name, ""))
        return replace(timing, suspicion=cause) if cause else timing.lasting(self._now_s)

    def of_pool(self, pool: PoolRecord, plan: PoolPlan, observed: PoolObserved) -> PoolFacts:
        """``observed``: as the plan was made from it, with the pods as they are now."""
        pods = self._seen.pods_of(pool.wanted.name)
        remedies = self._of(pool)
        nodes = {pod.seen.node for pod in pods} | remedies.quarantined.keys()
        return PoolFacts(
            wanted=pool.wanted,
            plan=plan,
            crew=muster(pool.wanted, observed, self._limits),
            generation=pool.read.generation,
            selector=selector(pool.ref),
            realtime=_pool_realtime(pods, pool.read.spec.realtime.mode),
            rooms=sum(len(self._seen.bound.get(pod.seen.name, ())) for pod in pods),
            participants=sum(sum(pod.report.participants.values()) for pod in pods),
            nodes=tuple(node for node in (self._seen.nodes or {}).values() if node.name in nodes),
            quarantined_until_s=remedies.quarantined,
            budget=self._budget(pool),
            canary=self._canary(pool),
            timing=_worst(self._timing(pod) for pod in pods if pod.heard),
            remedy=self._pool_remedy(pool),
            refusal=self._said.refusals.get(pool.wanted.name),
        )

    def _budget(self, pool: PoolRecord) -> dict[str, object] | None:
        found = self._remedies.get(pool.wanted.name)
        if found is None:
            return None
        return budget_dict(
            found.record, found.nodes_left, found.pods_left, found.alarms, found.raises
        )

    def _canary(self, pool: PoolRecord) -> dict[str, object] | None:
        trial = self._said.trials.get(pool.wanted.name)
        return None if trial is None else trial.record.to_dict()

    def _pool_remedy(self, pool: PoolRecord) -> Remedy:
        """The mode, then what holds something back now, then what is never seen."""
        mode, blocked = pool.read.spec.remediation.mode, self._of(pool).blocked
        usual = _remedy(mode, readable=self._seen.nodes is not None)
        if mode == "Enforce" and blocked is not None:
            return Remedy(True, blocked.reason, blocked.message)
        return usual


def _helped(timing: Timeliness, words: str) -> Timeliness:
    """With what is done about it where it is."""
    said = ". ".join(filter(None, (timing.message, words)))
    return replace(timing, message=said) if words else timing


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


def _participants(record: RoomRecord, room: RoomSeen, pod: PodRecord | None) -> int:
    """As the pod says; before it has said anything, as it was."""
    if pod is not None and not pod.heard:
        return int((record.body.get("status") or {}).get("participants", 0))
    return pod.report.participants.get(room.name, 0) if pod else 0
