"""What a change costs depends on what has changed, not on how much there is: counted in pieces of
work, not in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import ROOMS
from voiceroom_operator.running.operator import Operator

PODS = 20
MANY: dict[str, Any] = {"size": {"min": PODS, "max": PODS, "spare": 0}, "capacity": {"rooms": 200}}


@dataclass(frozen=True)
class Work:
    """Pieces of it."""

    rounds: int
    read: int
    """Rooms made from their objects."""
    judged: int
    """Rooms that a plan looked at."""
    statuses: int
    """Rooms whose status was worked out."""
    writes: int
    told: int
    """Assignments that pods have taken."""
    asked: int = 0
    """Reports that pods have given."""

    def minus(self, other: Work) -> Work:
        names = Work.__dataclass_fields__
        return Work(**{name: getattr(self, name) - getattr(other, name) for name in names})


class Counting:
    """A town that has come to rest with so many rooms."""

    def __init__(self) -> None:
        self.town = Town()
        self.rounds = 0
        self.town.pool(**MANY)
        self.operator = self._counted(self.town.start())

    def _counted(self, operator: Operator) -> Operator:
        inner = operator._work._reconcile

        async def one_more(namespace: str) -> float | None:
            self.rounds += 1
            return await inner(namespace)

        operator._work._reconcile = one_more
        return operator

    async def fill(self, rooms: int) -> None:
        await asyncio.sleep(10)
        for number in range(rooms):
            self.town.room(f"r-{number}")
        await self.town.until(self.all_ready, 60, "Ready")
        await asyncio.sleep(40)

    def all_ready(self) -> bool:
        bodies = self.town.api.bodies(ROOMS, NAMESPACE).values()
        return all((body.get("status") or {}).get("phase") == "Ready" for body in bodies)

    def work(self) -> Work:
        reconciler = self.operator._reconciler
        return Work(
            self.rounds,
            reconciler._parts.eyes.read,
            reconciler._bindings[NAMESPACE].memory.looked_at,
            reconciler._statuses.looked_at,
            self.town.api.writes(),
            *map(sum, zip(*self._mixers(), strict=True)),
        )

    def _mixers(self) -> list[tuple[int, int]]:
        return [(mixer.told, mixer.asked) for mixer in self.town.mixers.by_address.values()]


def cost(rooms: int, change: Callable[[Town], None]) -> Work:
    """Of one change among so many rooms, until all is at rest again."""

    async def scene() -> Work:
        counting = Counting()
        await counting.fill(rooms)
        before = counting.work()
        change(counting.town)
        await asyncio.sleep(3)
        spent = counting.work().minus(before)
        await counting.town.stop()
        return spent

    return run(scene())


def enlarge(town: Town) -> None:
    town.api.change(ROOMS, NAMESPACE, "r-7", {"spec": {"maxParticipants": 77}})


@pytest.mark.parametrize("rooms", [10, 1000])
def test_a_changed_room_costs_itself(rooms: int) -> None:
    """It is read when it has changed and when its status is written; its owner and its twin are
    told, and no plan has anything to look at."""
    spent = replace(cost(rooms, enlarge), asked=0)
    assert spent == Work(rounds=1, read=2, judged=0, statuses=1, writes=1, told=2)


@pytest.mark.parametrize("rooms", [10, 1000])
def test_a_new_room_costs_itself_and_a_look_at_its_pods(rooms: int) -> None:
    spent = cost(rooms, lambda town: town.room("one-more"))
    per_pod = rooms // PODS + 1
    assert spent.told == 2
    # its decision and its status, the pool's, and marks of pods that had no room before
    assert spent.writes <= 5
    assert spent.rounds <= 4
    assert spent.read <= 6
    assert spent.judged <= 4 * per_pod
    assert spent.statuses <= 4 * per_pod + 4


@pytest.mark.parametrize("change", [enlarge, lambda town: town.room("one-more")])
def test_only_pods_that_have_a_new_assignment_are_asked_out_of_turn(
    change: Callable[[Town], None],
) -> None:
    """Every pod gets the directory; what it says of itself is the same after it."""
    spent, rest = cost(100, change), cost(100, lambda _: None)
    assert spent.asked - rest.asked == spent.told


def test_rest_writes_nothing_though_pods_never_measure_the_same_twice() -> None:
    """Nor does it make rounds, other than the one every half a minute."""

    async def scene() -> Work:
        counting = Counting()
        await counting.fill(100)
        before = counting.work()
        for second in range(60):
            for number, mixer in enumerate(counting.town.mixers.by_address.values()):
                mixer.headroom = 0.93 + 0.001 * ((second * 7 + number) % 11)
                mixer.timing = {"p99Ms": 0.3 + 0.05 * ((second + number) % 9), "verdict": None}
            await asyncio.sleep(1)
        spent = counting.work().minus(before)
        await counting.town.stop()
        return spent

    spent = run(scene())
    assert (spent.writes, spent.told, spent.read, spent.statuses) == (0, 0, 0, 0)
    assert spent.rounds <= 3


@pytest.mark.parametrize(("write_s", "within_s"), [(0.4, 4.0), (0.1, 1.0)])
def test_a_room_does_not_wait_for_what_there_is_to_write_of_others(
    write_s: float, within_s: float
) -> None:
    """The API server takes so long for a write, and each of 120 rooms has one due."""

    async def scene() -> float:
        counting = Counting()
        await counting.fill(120)
        town, apply = counting.town, counting.town.api.apply

        async def slowly(*args: Any, **more: Any) -> Any:
            await asyncio.sleep(write_s)
            return await apply(*args, **more)

        town.api.apply = slowly  # type: ignore[method-assign]
        for mixer in town.mixers.by_address.values():
            since_s = town.clock.unix_s() - 60
            mixer.timing = {"p99Ms": 9.0, "verdict": "starved", "since": since_s}
        await town.until(lambda: any(degraded(town)), 10, "the first is told of")
        town.room("one-more")
        took_s = await town.until(lambda: can_be_joined(town, "one-more"), 20, "Ready")
        unwritten = sum(town.phase(f"r-{number}") == "Ready" for number in range(120))
        assert unwritten > 40
        await town.until(lambda: all(degraded(town)), 60, "what is told of the others")
        await town.stop()
        return took_s

    assert run(scene()) < within_s


def can_be_joined(town: Town, room: str) -> bool:
    return condition(town.status(room), names.READY)[0] == "True"


def degraded(town: Town) -> list[bool]:
    return [town.phase(f"r-{number}") == "Degraded" for number in range(120)]
