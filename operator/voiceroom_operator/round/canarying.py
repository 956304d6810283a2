"""Canaries in a round: what is seen of them, what is decided, and what is carried out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol

from voiceroom_operator.admin.looks import Looks
from voiceroom_operator.canary import promotion
from voiceroom_operator.canary.case import CanaryCase, Target, Trial
from voiceroom_operator.canary.gate import Gate, gate_of
from voiceroom_operator.canary.planner import plan_canary
from voiceroom_operator.canary.record import Record, record_of
from voiceroom_operator.canary.series import Seen as Counted
from voiceroom_operator.cluster.events import Events, Note
from voiceroom_operator.cluster.kinds import POOLS
from voiceroom_operator.edge.clock import Clock
from voiceroom_operator.grouping import NOBODY
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Standing, standing
from voiceroom_operator.pool.crew import is_outdated
from voiceroom_operator.reading.orders import order_of
from voiceroom_operator.reading.restarts import restarts
from voiceroom_operator.round.acting import Hands
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.families import Pools, trouble_of
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.refusals import Refusals
from voiceroom_operator.round.seen import PodRecord, PoolRecord, RoomRecord, Seen

Trials = Mapping[str, Trial]
"""By canary."""
BEHIND_S: Final = 2.0
"""A record that is so much newer than what this operator last wrote is another one's."""


class Counter(Protocol):
    """Who counts."""

    def tried(self, namespace: str, records: Mapping[str, Record]) -> None:
        """Canaries of a namespace."""


@dataclass(slots=True)
class _Counting:
    """Of one trial."""

    trial: tuple[str, float]
    """Revision, and when it began to be observed."""
    seen: Counted
    at_s: float


class Canarying:
    """Counts what pods of canaries show, plans, and promotes.

    What is counted of ticks lives here and begins anew with the operator; jitter and faults are on
    record as well.
    """

    def __init__(
        self,
        eyes: Eyes,
        looks: Looks,
        hands: Hands,
        events: Events,
        counter: Counter,
        limits: Limits,
    ) -> None:
        self._eyes = eyes
        self._looks = looks
        self._hands = hands
        self._events = events
        self._counter = counter
        self._limits = limits
        self._counting: dict[str, _Counting] = {}
        self._refusals = Refusals(hands.clock, "the promotion")

    @property
    def _clock(self) -> Clock:
        return self._hands.clock

    def forget(self) -> None:
        """Another may have led meanwhile: go on from what is on record."""
        self._counting.clear()

    def keep(self, uids: set[str]) -> None:
        """Forget pools that are gone."""
        self._counting = {uid: kept for uid, kept in self._counting.items() if uid in uids}
        self._refusals.keep(uids)

    def examine(self, seen: Seen) -> Trials:
        """What becomes of the canaries of a namespace."""
        now_s = self._clock.unix_s()
        found: dict[str, Trial] = {}
        for name, pool in seen.pools.items():
            if pool.wanted.canary_of and not pool.wanted.deleting:
                found[name] = plan_canary(self._case(seen, pool, now_s), now_s)
        return found

    def _case(self, seen: Seen, pool: PoolRecord, now_s: float) -> CanaryCase:
        asked, record = _asked(pool), record_of(pool.body.get("status") or {})
        pods = [p for p in seen.pods_of(pool.wanted.name) if not is_outdated(p.seen, pool.wanted)]
        refusal = self._refusals.of(pool)
        return replace(
            asked,
            record=record,
            trouble=trouble_of(seen.pools, pool),
            target=self._target(seen, pool, seen.pools.get(asked.of)),
            serving=sum(self._serves(seen, pod) for pod in pods),
            restarts=sum(restarts(pod.body) for pod in pods),
            rooms=_lent(seen, pool),
            seen=self._count(pool, record, pods, asked.gate, now_s),
            refusal=refusal.message() if refusal is not None else "",
        )

    def _serves(self, seen: Seen, pod: PodRecord) -> bool:
        return standing(pod.seen, seen.nodes, self._limits) is Standing.SERVING

    def _target(self, seen: Seen, canary: PoolRecord, other: PoolRecord | None) -> Target:
        if other is None:
            return Target()
        pods = [pod for pod in seen.pods_of(other.wanted.name) if not pod.seen.deleting]
        ready = sum(self._serves(seen, pod) for pod in pods)
        return Target(
            alike=promotion.alike(canary.read.spec, other.read.spec),
            generation=other.read.generation,
            rolled=ready >= other.wanted.size_min
            and not any(is_outdated(pod.seen, other.wanted) for pod in pods),
        )

    def _count(
        self,
        pool: PoolRecord,
        record: Record | None,
        pods: Iterable[PodRecord],
        gate: Gate,
        now_s: float,
    ) -> Counted:
        """What its pods have shown since it is observed."""
        uid = pool.ref.uid
        if record is None or record.phase != "Observing":
            self._counting.pop(uid, None)
            return Counted(now_s)
        trial, known = (record.revision, record.since_s), self._counting.get(uid)
        foreign = known is not None and record.judged_s > known.at_s + BEHIND_S
        if known is None or known.trial != trial or foreign:
            known = _Counting(trial, record.seen(now_s), now_s)
        looks = {pod.seen.uid: self._looks.counts(pod.seen.uid) for pod in pods}
        known.seen, known.at_s = known.seen.looked(looks, gate, now_s), now_s
        self._counting[uid] = known
        return known.seen

    async def carry_out(self, seen: Seen, trials: Trials, outcome: Outcome) -> None:
        """Give other pools what is on record as promoted."""
        for name, trial in trials.items():
            pool = seen.pools[name]
            if not trial.apply:
                self._refusals.drop(pool)
                continue
            wait_s = self._refusals.wait_s(pool)
            if wait_s > 0:
                outcome.again_s.append(wait_s)
                continue
            call = self._promote(seen.pools, pool)
            await self._refusals.answered(pool, "promote a canary", call, outcome)

    async def _promote(self, pools: Pools, pool: PoolRecord) -> None:
        other = pools[pool.wanted.canary_of]
        spec = other.body.get("spec") or {}
        await self._hands.respec_pool(other, promotion.patch(pool.read.spec, spec))

    def tell(self, seen: Seen, trials: Trials) -> None:
        """Events, once what has become of a canary is on record."""
        records: dict[str, Record] = {}
        for name, trial in trials.items():
            pool = seen.pools[name]
            live = self._eyes.mirror.get(POOLS, pool.ref.namespace, name)
            record = record_of((live or {}).get("status") or {})
            if record is None:
                continue
            records[name] = record
            if (record.phase, record.since_s) != (trial.record.phase, trial.record.since_s):
                continue
            for say in trial.says:
                kind: Literal["Warning", "Normal"] = "Warning" if say.warning else "Normal"
                self._events.say(Note(pool.body, kind, say.reason, say.message))
        self._counter.tried(seen.namespace, records)


def _asked(pool: PoolRecord) -> CanaryCase:
    """What its spec and its annotations say."""
    canary = pool.read.spec.canary
    assert canary is not None
    return CanaryCase(
        name=pool.wanted.name,
        of=canary.of,
        percent=canary.percent,
        revision=pool.wanted.revision,
        gate=gate_of(canary.gate, pool.read.spec.timing.profile),
        paused=canary.paused.reason if canary.paused is not None else "",
        order=order_of(pool.body),
    )


def _lent(seen: Seen, pool: PoolRecord) -> int:
    """Rooms of the other pool that the canary's pods run."""
    pods = seen.pods_of(pool.wanted.name)
    return sum(
        seen.bound.get(pod.seen.name, NOBODY).once(_others, pool.wanted.name) for pod in pods
    )


def _others(rooms: Mapping[str, RoomRecord], pool: str) -> int:
    """Those that ask for another pool."""
    return sum(record.read.spec.pool_name != pool for record in rooms.values())
