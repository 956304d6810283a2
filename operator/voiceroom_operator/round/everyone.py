"""Mixer pods of all namespaces, as remediation looks at them: a node's fault shows in any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from voiceroom_operator.grouping import NOBODY
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Nodes, PodSeen, standing
from voiceroom_operator.reading.cpu import cpu_limit
from voiceroom_operator.remediation.case import PoolCase, RoomView
from voiceroom_operator.remediation.evidence import weigh
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.remediation.raises import raises
from voiceroom_operator.remediation.records import alarms, evacuations
from voiceroom_operator.remediation.suspects import Alarm, PodView
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen

NO_REFUSALS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Inbox:
    """What alerts have said since it was last put on record."""

    firing: tuple[tuple[str, Alarm], ...] = ()
    """Namespace and alarm; alarms about nodes alone count in all namespaces."""
    resolved: frozenset[str] = frozenset()
    """Keys of alarms that are over."""


class Everyone:
    """Of one moment."""

    def __init__(
        self,
        eyes: Eyes,
        limits: Limits,
        inbox: Inbox,
        now_s: float,
        refusals: Mapping[str, str] = NO_REFUSALS,
    ) -> None:
        """``refusals``: of changes of CPU limits, by the pod's uid."""
        self._refusals = refusals
        self._eyes = eyes
        self._limits = limits
        self._now_s = now_s
        self.nodes: Nodes = eyes.nodes()
        self._by_pool: dict[tuple[str, str], list[tuple[PodView, Policy]]] = {}
        pools = eyes.pools()
        self._alarms = _alarms(pools, inbox, now_s)
        policies = {(pool.ref.namespace, pool.wanted.name): pool.policy for pool in pools}
        for pod in eyes.pods():
            namespace = pod.body["metadata"]["namespace"]
            key = (namespace, pod.seen.pool)
            if key in policies:
                view = self._view(namespace, pod, policies[key])
                self._by_pool.setdefault(key, []).append((view, policies[key]))

    def pods(self) -> Iterable[tuple[PodView, Policy]]:
        """All of them, each with the policy of its pool."""
        return (each for pods in self._by_pool.values() for each in pods)

    def case(self, seen: Seen, pool: PoolRecord) -> PoolCase:
        """One pool."""
        pods = [pod for pod, _ in self._by_pool.get((seen.namespace, pool.wanted.name), ())]
        mine = {pod.name for pod in pods}
        named = {alarm for pod in pods for alarm in pod.alarms}
        return PoolCase(
            name=pool.wanted.name,
            policy=pool.policy,
            pods=tuple(pods),
            rooms=tuple(self._rooms(seen, mine)),
            record=evacuations(pool.body.get("status") or {}),
            raises=raises(pool.body.get("status") or {}),
            alarms=tuple(sorted(named, key=lambda alarm: alarm.key)),
            nodes=self.nodes,
        )

    def _view(self, namespace: str, pod: PodRecord, policy: Policy) -> PodView:
        seen = pod.seen
        return PodView(
            name=seen.name,
            uid=seen.uid,
            namespace=namespace,
            pool=seen.pool,
            node=seen.node,
            started_s=seen.started_s if _is_judged(pod) else 0.0,
            standing=standing(seen, self.nodes, self._limits),
            headroom=seen.headroom,
            cpu=cpu_limit(pod.body, pod.report.quota_cpus, self._refusals.get(seen.uid, "")),
            evidence=weigh(self._eyes.history(seen.uid), seen.silent_s, policy),
            alarms=tuple(
                alarm for of, alarm in self._alarms if _is_meant(alarm, of, namespace, seen)
            ),
        )

    def _rooms(self, seen: Seen, pods: Iterable[str]) -> Iterator[RoomView]:
        for pod in sorted(pods):
            yield from seen.bound.get(pod, NOBODY).once(_views, self._limits)


def _views(rooms: Mapping[str, RoomRecord], limits: Limits) -> tuple[RoomView, ...]:
    """In the order of their names."""
    here = (rooms[name] for name in sorted(rooms) if not rooms[name].seen.deleting)
    return tuple(_view(room, limits) for room in here)


def _view(record: RoomRecord, limits: Limits) -> RoomView:
    room, spec = record.seen, record.read.spec
    paused = spec.remediation.paused
    return RoomView(
        name=room.name,
        pod=room.pod,
        legs=room.legs,
        mode=spec.remediation.mode,
        paused=paused.reason if paused is not None else "",
        drift=room.drift,
        frame_ms=float(spec.audio.frame_ms),
        moving=room.move is not None,
        cost=limits.room_share + room.legs * limits.leg_share,
    )


def _alarms(pools: Iterable[PoolRecord], inbox: Inbox, now_s: float) -> list[tuple[str, Alarm]]:
    """Those on record and those that have come since, the newest word of each."""
    found: dict[tuple[str, str], Alarm] = {}
    for pool in pools:
        for alarm in alarms(pool.body.get("status") or {}):
            found[_key(pool.ref.namespace, alarm)] = alarm
    for namespace, alarm in inbox.firing:
        found[_key(namespace, alarm)] = alarm
    return [
        (namespace, alarm)
        for (namespace, _), alarm in found.items()
        if now_s < alarm.until_s and alarm.key not in inbox.resolved
    ]


def _is_judged(pod: PodRecord) -> bool:
    """Neither who is on the way to its first answer nor who is ending is judged by its silence."""
    return (pod.seen.ready or pod.heard) and not pod.seen.deleting


def _is_meant(alarm: Alarm, of: str, namespace: str, pod: PodSeen) -> bool:
    """An alert that began before the pod was made means its predecessor of that name."""
    if not alarm.pod:
        return alarm.node == pod.node
    return of == namespace and alarm.pod == pod.name and alarm.since_s >= pod.created_s


def _key(namespace: str, alarm: Alarm) -> tuple[str, str]:
    return (namespace if alarm.pod else "", alarm.key)
