"""Remediation in a round: who is looked at, what is decided, and whether it still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, Literal, Protocol

from voiceroom_api import names
from voiceroom_operator.admin.looks import Looks
from voiceroom_operator.cluster.events import Events, Note
from voiceroom_operator.cluster.kinds import POOLS
from voiceroom_operator.limits import Limits
from voiceroom_operator.remediation.case import PoolCase, Remedies
from voiceroom_operator.remediation.planner import plan_remedies
from voiceroom_operator.remediation.raises import Raise, raises
from voiceroom_operator.remediation.records import Evacuation, evacuations
from voiceroom_operator.remediation.town import survey
from voiceroom_operator.round.acting import Hands
from voiceroom_operator.round.everyone import Everyone, Inbox
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.findings import Findings
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.raising import Askings
from voiceroom_operator.round.seen import PodRecord, Seen
from voiceroom_operator.round.tainting import put_taints
from voiceroom_operator.round.telling import Teller

VERIFY_S: Final = 1.0
"""How long a pod may take to answer before it is left; no answer counts as bad."""


class Counter(Protocol):
    """Who counts."""

    def remedied(self, what: str, result: str) -> None:
        """Something was decided: Node, Pod, Room or Limit; enforced or dry_run."""

    def raise_ended(self, outcome: str) -> None:
        """A CPU limit was raised in place, or was not."""

    def judged(self, namespace: str, remedies: Mapping[str, Remedies]) -> None:
        """What is bad in a namespace, by pool."""


class Remedying:
    """Plans, and takes a second look before anything is begun."""

    def __init__(
        self,
        eyes: Eyes,
        looks: Looks,
        teller: Teller,
        events: Events,
        counter: Counter,
        limits: Limits,
        inbox: Callable[[], Inbox],
    ) -> None:
        self._eyes = eyes
        self._looks = looks
        self._teller = teller
        self._events = events
        self._counter = counter
        self._limits = limits
        self._inbox = inbox
        self._askings = Askings()
        self._would: dict[str, frozenset[str]] = {}
        """Rooms that a dry run would move, by namespace: each is counted once."""

    async def examine(self, seen: Seen, unix_s: Callable[[], float]) -> Findings:
        """What to do in a namespace. What is new is decided only when it still holds after all
        the pods of its pool were asked again."""
        self._remember(seen)
        findings = self._plan(seen, unix_s())
        doubtful = [name for name, each in findings.remedies.items() if is_new(each)]
        if doubtful:
            await self._ask(seen, doubtful)
            seen = self._eyes.see(seen.namespace)
            findings = self._plan(seen, unix_s())
        self._counter.judged(seen.namespace, findings.remedies)
        self._count_would(findings)
        return findings

    def _remember(self, seen: Seen) -> None:
        for pod in seen.pods.values():
            pool = seen.pools.get(pod.seen.pool)
            if pool is not None:
                self._looks.remember(pod.seen.uid, pool.policy.keep_s)

    def _plan(self, seen: Seen, now_s: float) -> Findings:
        refusals = self._askings.refusals()
        everyone = Everyone(self._eyes, self._limits, self._inbox(), now_s, refusals)
        town = survey(everyone.pods(), now_s)
        cases: Iterable[PoolCase] = (everyone.case(seen, pool) for pool in seen.pools.values())
        return Findings(seen, {case.name: plan_remedies(case, town, now_s) for case in cases})

    async def _ask(self, seen: Seen, pools: Iterable[str]) -> None:
        pods = [pod for name in pools for pod in seen.pods_of(name)]
        await asyncio.gather(*(self._ask_one(seen, pod) for pod in pods))

    async def _ask_one(self, seen: Seen, pod: PodRecord) -> None:
        target = self._teller.target(pod.body, seen.pools[pod.seen.pool].ref.uid)
        if target is None:
            return
        try:
            async with asyncio.timeout(VERIFY_S):
                await self._looks.look(target)
        except TimeoutError:
            return  # its silence goes on, and is counted as such

    def _count_would(self, findings: Findings) -> None:
        namespace = findings.seen.namespace
        would = frozenset(
            room
            for each in findings.remedies.values()
            for room, why in each.held.items()
            if why.reason == names.DRY_RUN
        )
        for _ in would - self._would.get(namespace, frozenset()):
            self._counter.remedied("Room", "dry_run")
        self._would[namespace] = would

    async def carry_out(self, findings: Findings, hands: Hands, outcome: Outcome) -> None:
        """What is done beside moves: CPU limits and taints."""
        due = [entry for each in findings.remedies.values() for entry in each.due_raises]
        await self._askings.carry_out(findings.seen, due, hands, outcome)
        await put_taints(findings, hands, self._events, outcome)

    def _count_raises(self, remedies: Remedies, recorded: Collection[Raise]) -> None:
        for entry in remedies.fresh_raises:
            if _begun_on_record(entry, recorded):
                self._counter.remedied("Limit", "dry_run" if entry.dry else "enforced")
        for entry in remedies.ended_raises:
            if any((e.uid, e.outcome) == (entry.uid, entry.outcome) for e in recorded):
                self._counter.raise_ended(entry.outcome)

    def tell(self, findings: Findings) -> None:
        """Events, once what is new is on record."""
        for name, remedies in findings.remedies.items():
            pool = findings.seen.pools[name]
            live = self._eyes.mirror.get(POOLS, pool.ref.namespace, name)
            status = (live or {}).get("status") or {}
            recorded = evacuations(status)
            for entry in remedies.fresh:
                if any(_is_same(entry, other) for other in recorded):
                    self._counter.remedied(entry.what, "dry_run" if entry.dry else "enforced")
            self._count_raises(remedies, raises(status))
            for say in remedies.says:
                kind: Literal["Warning", "Normal"] = "Warning" if say.warning else "Normal"
                self._events.say(Note(pool.body, kind, say.reason, say.message))


def _begun_on_record(entry: Raise, recorded: Iterable[Raise]) -> bool:
    return any((entry.uid, entry.at_s) == (other.uid, other.at_s) for other in recorded)


def is_new(remedies: Remedies) -> bool:
    """Something would be begun."""
    return bool(remedies.fresh or remedies.fresh_raises)


def _is_same(one: Evacuation, other: Evacuation) -> bool:
    return (one.what, one.name, one.at_s) == (other.what, other.name, other.at_s)
