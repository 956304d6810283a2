"""Who leads, in virtual time."""

import asyncio
from typing import Any

import pytest

from fakes.apiserver import FakeApi
from fakes.looptime import run, virtual_loop
from fakes.town import LoopClock
from voiceroom_operator.cluster.api import ApiError, Body
from voiceroom_operator.cluster.kinds import LEASES, Kind
from voiceroom_operator.cluster.lease import DURATION_S, HOLD_S, Lease


class Hall:
    """An API server, and candidates."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.api = FakeApi(self.clock.unix_s)

    def lease(self, identity: str) -> Lease:
        return Lease(self.api, self.clock, "system", "voiceroom-operator", identity)

    def spec(self) -> dict[str, Any]:
        spec: dict[str, Any] = self.api.bodies(LEASES)["voiceroom-operator"]["spec"]
        return spec


def test_the_first_who_asks_holds_it_and_the_second_does_not() -> None:
    async def scene() -> None:
        hall = Hall()
        one, two = hall.lease("a_1"), hall.lease("b_1")
        await one.step()
        await two.step()
        assert one.holds()
        assert not two.holds()
        assert two.observed
        assert hall.spec()["holderIdentity"] == "a_1"

    run(scene())


def test_a_holder_that_renews_no_more_stops_acting_before_another_may() -> None:
    async def scene() -> None:
        hall = Hall()
        one, two = hall.lease("a_1"), hall.lease("b_1")
        await one.step()
        await two.step()
        began_s = hall.clock.monotonic_s()
        while not two.holds():
            await asyncio.sleep(0.5)
            await two.step()
            assert not (one.holds() and two.holds())
        assert DURATION_S < hall.clock.monotonic_s() - began_s <= DURATION_S + 1
        assert two.term == one.term + 1

    run(scene())


def test_a_slow_answer_counts_from_when_it_was_asked_for() -> None:
    class Slow(FakeApi):
        async def merge(self, kind: Kind, namespace: str, name: str, patch: Body) -> Body:
            written = await super().merge(kind, namespace, name, patch)
            virtual_loop().advance(HOLD_S - 1)
            return written

    async def scene() -> None:
        hall = Hall()
        hall.api = Slow(hall.clock.unix_s)
        one = hall.lease("a_1")
        await one.step()
        await one.step()
        assert one.holds()
        await asyncio.sleep(1.1)
        assert not one.holds()

    run(scene())


def test_clocks_that_are_wrong_by_hours_change_nothing() -> None:
    async def scene() -> None:
        hall = Hall()
        one = hall.lease("a_1")
        other = LoopClock()
        other.step_s = 7200
        two = Lease(hall.api, other, "system", "voiceroom-operator", "b_1")
        for _ in range(20):
            await one.step()
            await two.step()
            await asyncio.sleep(5)
            hall.clock.step_s -= 1000
            assert one.holds()
            assert not two.holds()

    run(scene())


def test_a_replica_takes_over_from_its_own_earlier_start_at_once() -> None:
    async def scene() -> None:
        hall = Hall()
        before, after = hall.lease("a_1"), hall.lease("a_2")
        await before.step()
        await after.step()
        assert after.holds()
        assert after.term == before.term + 1

    run(scene())


def test_of_two_who_write_at_once_one_holds_it() -> None:
    async def scene() -> None:
        hall = Hall()
        gone = hall.lease("gone_1")
        await gone.step()
        await gone.release()
        one, two = hall.lease("a_1"), hall.lease("b_1")
        stale = await hall.api.get(LEASES, "system", "voiceroom-operator")
        await one.step()
        assert one.holds()
        await two._write(stale, 99)
        assert not two.holds()
        assert hall.spec()["holderIdentity"] == "a_1"

    run(scene())


def test_who_was_outbid_goes_above() -> None:
    async def scene() -> None:
        hall = Hall()
        one = hall.lease("a_1")
        await one.step()
        one.lose(one.term + 5)
        assert not one.holds()
        before = one.term
        await one.step()
        assert one.holds()
        assert one.term == before + 6

    run(scene())


def test_only_the_holder_releases() -> None:
    async def scene() -> None:
        hall = Hall()
        one, two = hall.lease("a_1"), hall.lease("b_1")
        await one.step()
        await two.release()
        assert hall.spec()["holderIdentity"] == "a_1"
        await one.release()
        assert hall.spec()["holderIdentity"] == ""
        await two.step()
        assert two.holds()

    run(scene())


def test_an_api_server_that_is_away_is_said() -> None:
    async def scene() -> None:
        hall = Hall()

        def away(verb: str, kind: Kind, name: str) -> None:
            raise ApiError(0, "Unreachable", "no route to host")

        hall.api.before = away
        with pytest.raises(ApiError, match="no route"):
            await hall.lease("a_1").step()

    run(scene())
