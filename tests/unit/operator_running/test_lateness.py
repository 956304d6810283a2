"""An operator that does not keep time itself."""

import asyncio

from fakes.looptime import run, virtual_loop
from fakes.town import LoopClock, Town
from voiceroom_operator.cluster.lease import DURATION_S, LEFT_S
from voiceroom_operator.running.lateness import AT_ONCE_S, OF_SECONDS, SHY_S, Lateness


def test_a_process_that_wakes_on_time_is_not_stalled() -> None:
    own = Lateness()
    for tick in range(200):
        own.woke(tick * 0.1, tick * 0.1 + 0.02)
    assert not own.is_stalled(20.0)
    assert not own.is_shy(20.0)
    assert own.worst_s(20.0) < 0.021


def test_one_long_stall_is_one_and_one_short_one_is_none() -> None:
    short, long = Lateness(), Lateness()
    short.woke(10.0, 10.0 + AT_ONCE_S - 0.1)
    long.woke(10.0, 10.0 + AT_ONCE_S)
    assert not short.is_stalled(13.0)
    assert long.is_stalled(13.0)
    assert not long.is_stalled(13.0 + OF_SECONDS)
    assert long.is_shy(13.0 + OF_SECONDS)
    assert not long.is_shy(13.0 + SHY_S)


def test_three_bad_seconds_of_five_are_a_stall() -> None:
    own = Lateness()
    for at_s in (10.0, 11.0):
        own.woke(at_s, at_s + 0.6)
    assert not own.is_stalled(11.7)
    own.woke(12.4, 13.0)
    assert own.is_stalled(13.0)


def test_bad_seconds_far_apart_are_none() -> None:
    own = Lateness()
    for at_s in range(0, 100, 4):
        own.woke(float(at_s), at_s + 0.6)
    assert not own.is_stalled(97.0)


def test_the_worst_is_forgotten_after_a_minute() -> None:
    own = Lateness()
    own.woke(0.0, 2.0)
    own.woke(10.0, 10.5)
    assert own.worst_s(50.0) == 2.0
    assert own.worst_s(65.0) == 0.5
    assert own.worst_s(200.0) == 0.0


def test_a_stalled_leader_gives_the_lease_up_and_stays_away() -> None:
    async def scene() -> None:
        town, clock = Town(), LoopClock()
        town.room()
        first = town.start(clock=clock)
        await town.ready()
        second = town.start("two")
        await asyncio.sleep(5)
        clock.stall_s = 0.7
        took_s = await town.until(second.lease.holds, 20, "the other leads")
        assert took_s < 10.0
        assert not first.lease.holds()
        await asyncio.sleep(120)
        assert second.lease.holds()
        assert second.lease.term > 1
        clock.stall_s = 0.0
        await asyncio.sleep(60)
        assert second.lease.holds()
        metrics = first._meters.exposition().decode()
        assert "voiceroom_operator_lease_given_up_total 1.0" in metrics
        await town.stop()

    run(scene())


def test_a_frozen_leader_is_replaced_and_does_not_come_back_as_one() -> None:
    async def scene() -> None:
        town, clock = Town(), LoopClock()
        town.room()
        first = town.start(clock=clock)
        await town.ready()
        second = town.start("two")
        await asyncio.sleep(5)
        clock.stall_s = 60.0
        took_s = await town.until(second.lease.holds, 30, "the other leads")
        assert took_s < DURATION_S + 5.0
        clock.stall_s = 0.0
        await asyncio.sleep(120)
        assert second.lease.holds()
        assert not first.lease.holds()
        await town.stop()

    run(scene())


def test_the_only_replica_leads_again_even_while_it_is_late() -> None:
    async def scene() -> None:
        town, clock = Town(), LoopClock()
        town.room()
        only = town.start(clock=clock)
        await town.ready()
        clock.stall_s = 0.7
        await town.until(lambda: not only.lease.holds(), 10, "given up")
        took_s = await town.until(only.lease.holds, LEFT_S + 15, "leading again")
        assert took_s > LEFT_S - 2.5
        clock.stall_s = 0.0
        await asyncio.sleep(60)
        assert only.lease.holds()
        await town.stop()

    run(scene())


def test_a_loop_that_stood_still_is_noticed() -> None:
    async def scene() -> None:
        town = Town()
        only = town.start()
        await town.until(only.lease.holds, 10, "leading")
        virtual_loop().advance(4.0)
        await asyncio.sleep(1)
        assert not only.lease.holds()
        await town.stop()

    run(scene())
