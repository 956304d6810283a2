"""The orderly end, in virtual time."""

from __future__ import annotations

import asyncio
import socket

import pytest

from fakes import looptime
from fakes.door import segment
from fakes.service import FakeRooms
from voiceroom_mixer.control.drain import KeeperChannel, drain
from voiceroom_mixer.control.readiness import Readiness


async def drained(house: FakeRooms, deadline_s: float) -> tuple[float, bool, Readiness]:
    """(virtual seconds it took, BYE confirmed, readiness)."""
    loop = looptime.virtual_loop()
    readiness = Readiness([segment()], loop.now_ns)
    began = loop.time()
    confirmed = await drain(house, readiness, loop.now_ns, deadline_s)
    return loop.time() - began, confirmed, readiness


def test_an_empty_pod_is_drained_at_once() -> None:
    house = FakeRooms()
    took, confirmed, readiness = looptime.run(drained(house, 600))
    assert (took, confirmed) == (0, True)
    assert house.draining
    assert "draining" in readiness.unready()
    assert readiness.alive()
    assert house.asked == [("goodbye", 0)]


def test_it_goes_on_until_the_last_leg_has_left() -> None:
    house = FakeRooms()
    house.add("lobby", "a")
    looks = 0

    def one_leaves() -> None:
        nonlocal looks
        looks += 1
        if looks == 50:
            house.rooms["lobby"].clear()

    house.on_leg_count = one_leaves
    took, _, _ = looptime.run(drained(house, 600))
    assert 3 < took < 6
    assert house.asked == [("goodbye", 0)]


def test_the_deadline_ends_it_with_legs_still_there() -> None:
    house = FakeRooms(say_bye=False)
    house.add("lobby", "a")
    took, confirmed, _ = looptime.run(drained(house, 30))
    assert took == pytest.approx(30, abs=0.11)
    assert not confirmed
    assert house.asked == [("goodbye", 1)]


def test_the_keepers_word_may_come_in_pieces() -> None:
    async def main() -> None:
        keeper, ours = socket.socketpair()
        channel = KeeperChannel(ours)
        waiting = asyncio.create_task(channel.drain_or_gone())
        for piece in (b"hel", b"lo\ndra", b"in"):
            keeper.send(piece)
            await asyncio.sleep(0.1)
            assert not waiting.done()
        keeper.send(b"\n")
        assert await waiting
        assert channel.say_drained()
        assert keeper.recv(100) == b"drained\n"
        keeper.close()
        assert not channel.say_drained()
        ours.close()

    looptime.run(main())


def test_a_keeper_that_has_gone_ends_the_wait() -> None:
    async def main() -> None:
        keeper, ours = socket.socketpair()
        keeper.close()
        assert not await KeeperChannel(ours).drain_or_gone()
        ours.close()

    looptime.run(main())
