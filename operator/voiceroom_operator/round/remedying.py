"""Remediation in a round: who is looked at, what is decided, and whether it still holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from voiceroom_api import names
from voiceroom_operator.admin.looks import Looks
from voiceroom_operator.cluster.events import Events, Note
from voiceroom_operator.cluster.kinds import POOLS
from voiceroom_operator.limits import Limits
from voiceroom_operator.remediation.case import PoolCase, Remedies
from voiceroom_operator.remediation.planner import plan_remedies
from voiceroom_operator.remediation.records import Evacuation, evacuations
from voiceroom_operator.remediation.town import survey
from voiceroom_operator.round.everyone import Everyone, Inbox
from voiceroom_operator.round.eyes import Eyes
from voiceroom_operator.round.seen import PodRecord, Seen
from voiceroom_operator.round.telling import Teller

VERIFY_S: Final = 1.0
"""How long a pod may take to answer before it is left; no answer counts as bad."""


class Counter(Protocol):
    """Who counts."""

    def remedied(self, what: str, result: str) -> None:
        """Something was decided: Node, Pod or Room; enforced or dry_run."""

    def judged(self, namespace: str, remedies: Mapping[str, Remedies]) -> None:
        """What is bad in a namespace, by pool."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Of one round."""

    seen: Seen
    remedies: Mapping[str, Remedies] = field(default_factory=dict)
    """By pool."""

    def avoid(self, pool: str) -> tuple[str, ...]:
        """Nodes on which no pod of the pool is made."""
        found = self.remedies.get(pool, Remedies())
        quarantined = {n.name for n in (self.seen.nodes or {}).values() if n.quarantined}
        return tuple(sorted(found.avoid | quarantined))


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
        self._would: dict[str, frozenset[str]] = {}
        """Rooms that a dry run would move, by namespace: each is counted once."""

    async def examine(self, seen: Seen, unix_s: Callable[[], float]) -> Findings:
        """What to do in a namespace. What is new is decided only when it still holds after all
        the pods of its pool were asked again."""
        self._remember(seen)
        findings = self._plan(seen, unix_s())
        doubtful = [name for name, each in findings.remedies.items() if each.fresh]
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
        everyone = Everyone(self._eyes, self._limits, self._inbox(), now_s)
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

    def tell(self, findings: Findings) -> None:
        """Events, once what is new is on record."""
        for name, remedies in findings.remedies.items():
            pool = findings.seen.pools[name]
            live = self._eyes.mirror.get(POOLS, pool.ref.namespace, name)
            recorded = evacuations((live or {}).get("status") or {})
            for entry in remedies.fresh:
                if any(_is_same(entry, other) for other in recorded):
                    self._counter.remedied(entry.what, "dry_run" if entry.dry else "enforced")
            for say in remedies.says:
                kind: Literal["Warning", "Normal"] = "Warning" if say.warning else "Normal"
                self._events.say(Note(pool.body, kind, say.reason, say.message))


def _is_same(one: Evacuation, other: Evacuation) -> bool:
    return (one.what, one.name, one.at_s) == (other.what, other.name, other.at_s)
