"""Statuses, written where they differ from what is there, and no oftener than they may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.kinds import POOLS, ROOMS
from voiceroom_operator.grouping import Group, differences
from voiceroom_operator.round.acting import Hands
from voiceroom_operator.round.facts import Climate, Facts
from voiceroom_operator.round.outcome import Outcome
from voiceroom_operator.round.seen import PoolRecord, RoomRecord, Seen
from voiceroom_operator.round.writes import ASIDE_S, Call, at_once
from voiceroom_operator.status.pool import SLOW as POOL_SLOW
from voiceroom_operator.status.pool import PoolFacts, pool_status
from voiceroom_operator.status.room import SLOW as ROOM_SLOW
from voiceroom_operator.status.room import RoomFacts, room_status
from voiceroom_operator.status.writing import worth_writing


@dataclass(frozen=True, slots=True)
class _Due:
    """A write."""

    rank: tuple[int, float]
    """The least first: by priority, then what was written longest ago."""
    call: Call

    @property
    def is_waited_for(self) -> bool:
        """By people: whether they can join."""
        return self.rank[0] == 0


@dataclass(slots=True)
class _Settled:
    """An object whose status was as it ought to be, and the facts that made it so."""

    facts: object = None
    resource_version: str = ""
    written_s: float = float("-inf")

    def holds(self, facts: object, body: Body) -> bool:
        """Whether it is so still."""
        at = body["metadata"].get("resourceVersion", "")
        return (self.resource_version, self.facts) == (at, facts)


@dataclass(frozen=True, slots=True)
class _Known:
    """The rooms of a pod as they were looked at last."""

    rooms: Group[RoomRecord]
    climate: Climate
    open: frozenset[str]
    """Rooms whose status is to be looked at again, whatever happens."""

    def again(self, rooms: Group[RoomRecord]) -> set[str]:
        """Those of ``rooms`` that are to be looked at in the same climate."""
        return {*differences(self.rooms, rooms), *self.open} & rooms.keys()


class Statuses:
    """Of all rooms and pools. A room is looked at when it has changed, or the climate of its pod,
    or when something about it is left to do."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands
        self._settled: dict[str, _Settled] = {}
        self._known: dict[str, dict[str, _Known]] = {}
        self.looked_at = 0
        """Rooms, ever."""

    async def write(
        self,
        seen: Seen,
        facts: Facts,
        pools: Iterable[tuple[PoolRecord, PoolFacts]],
        outcome: Outcome,
    ) -> None:
        """All that is due, or as much of it as the round has time for."""
        due: list[_Due] = []
        before = self._known.pop(seen.namespace, {})
        now = {
            pod: self._of_pod(rooms, before.get(pod), facts.climate(pod), facts, outcome, due)
            for pod, rooms in seen.bound.items()
        }
        if now:
            self._known[seen.namespace] = now
        for pool, known in pools:
            due.extend(self._pool(pool, known, outcome))
        due.sort(key=lambda each: each.rank)
        first = [each.call for each in due if each.is_waited_for]
        left = await at_once(first, self._hands.clock)
        left += await at_once([each.call for each in due[len(first) :]], self._hands.clock, ASIDE_S)
        if left:
            outcome.again_s.append(0.0)

    def _of_pod(
        self,
        rooms: Group[RoomRecord],
        known: _Known | None,
        climate: Climate,
        facts: Facts,
        outcome: Outcome,
        due: list[_Due],
    ) -> _Known:
        same = known is not None and climate.host.pod is not None and known.climate == climate
        special = facts.special(rooms)
        names = known.again(rooms) | special if known is not None and same else rooms.keys()
        left = set(special)
        for room in (rooms[name] for name in names if not rooms[name].seen.deleting):
            found = facts.of_room(room, room.seen)
            due.extend(self._room(room, found, outcome))
            if not self._of(room.body).holds(found, room.body):
                left.add(room.seen.name)
        self.looked_at += len(names)
        return _Known(rooms, climate, frozenset(left))

    async def decide(self, room: RoomRecord, facts: RoomFacts) -> None:
        """The status that puts a decision on record. Raises ``ApiError``."""
        now_s = self._hands.clock.unix_s()
        await self._hands.write_room(room, room_status(_status(room.body), facts, now_s))
        self._of(room.body).written_s = self._hands.clock.monotonic_s()

    def _room(self, room: RoomRecord, facts: RoomFacts, outcome: Outcome) -> Iterable[_Due]:
        def status() -> dict[str, Any]:
            return room_status(_status(room.body), facts, self._hands.clock.unix_s())

        def write(wanted: Mapping[str, Any]) -> Awaitable[None]:
            return self._hands.say(ROOMS, room.body, wanted)

        return self._due(room.body, facts, status, write, ROOM_SLOW, outcome)

    def _pool(self, pool: PoolRecord, facts: PoolFacts, outcome: Outcome) -> Iterable[_Due]:
        def status() -> dict[str, Any]:
            return pool_status(_status(pool.body), facts, self._hands.clock.unix_s())

        def write(wanted: Mapping[str, Any]) -> Awaitable[None]:
            return self._hands.say(POOLS, pool.body, wanted)

        return self._due(pool.body, facts, status, write, POOL_SLOW, outcome)

    def _due(
        self,
        body: Body,
        facts: object,
        status: Callable[[], dict[str, Any]],
        write: Callable[[Mapping[str, Any]], Awaitable[None]],
        slow: frozenset[str],
        outcome: Outcome,
    ) -> Iterable[_Due]:
        settled = self._of(body)
        if settled.holds(facts, body):
            return
        wanted, now_s = status(), self._hands.clock.monotonic_s()
        verdict = worth_writing(_status(body), wanted, slow, settled.written_s, now_s)
        if verdict.due:

            async def call() -> None:
                settled.written_s = self._hands.clock.monotonic_s()
                await outcome.done("write a status", write(wanted))

            yield _Due((verdict.priority, settled.written_s), call)
        elif verdict.later_s is not None:
            outcome.again_s.append(verdict.later_s)
        else:
            settled.facts = facts
            settled.resource_version = str(body["metadata"].get("resourceVersion", ""))

    def _of(self, body: Body) -> _Settled:
        return self._settled.setdefault(body["metadata"]["uid"], _Settled())

    def forget(self) -> None:
        """Look at everything anew; when what was written stays known."""
        self._known.clear()

    def keep(self, uids: set[str]) -> None:
        """Forget all others."""
        self._settled = {uid: kept for uid, kept in self._settled.items() if uid in uids}


def _status(body: Body) -> Mapping[str, Any]:
    return body.get("status") or {}
