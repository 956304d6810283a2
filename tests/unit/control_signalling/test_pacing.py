"""Handshakes keep their distance, and a crowd is turned away at the door."""

from __future__ import annotations

import asyncio

import pytest

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.signalling.pacing import (
    INTERVAL_NS,
    JOIN_WAIT_NS,
    PARALLEL,
    ROW_WAIT_NS,
    HandshakePacer,
    RowFull,
)


class Waits:
    """A wait that only notes how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


async def take(pacer: HandshakePacer) -> None:
    async with pacer.turn():
        pass


def test_fifty_at_once_start_one_interval_apart() -> None:
    waits = Waits()

    async def scenario() -> None:
        pacer = HandshakePacer(lambda: 5 * NS_PER_S, waits)
        await asyncio.gather(*(take(pacer) for _ in range(50)))

    asyncio.run(scenario())
    steps = [k * INTERVAL_NS / NS_PER_S for k in range(1, 50)]
    assert sorted(waits.seconds) == pytest.approx(steps)


def test_who_comes_alone_does_not_wait() -> None:
    waits, now = Waits(), 0

    async def scenario() -> None:
        nonlocal now
        pacer = HandshakePacer(lambda: now, waits)
        for _ in range(10):
            await take(pacer)
            now += INTERVAL_NS

    asyncio.run(scenario())
    assert waits.seconds == []


def test_a_long_row_closes_the_door_and_says_when_to_come_back() -> None:
    async def scenario() -> None:
        pacer = HandshakePacer(lambda: 0, Waits())
        pacer.refuse_when_busy()
        for _ in range(JOIN_WAIT_NS // INTERVAL_NS + 1):
            await take(pacer)
        with pytest.raises(ApiError) as caught:
            pacer.refuse_when_busy()
        assert (caught.value.status, caught.value.code) == (503, "busy")
        assert caught.value.headers == {"Retry-After": "3"}
        assert pacer.refused == 1

    asyncio.run(scenario())


def test_the_row_is_bounded() -> None:
    async def scenario() -> None:
        pacer = HandshakePacer(lambda: 0, Waits())
        for _ in range(ROW_WAIT_NS // INTERVAL_NS + 1):
            await take(pacer)
        with pytest.raises(RowFull):
            await take(pacer)

    asyncio.run(scenario())


def test_only_so_many_at_a_time() -> None:
    async def scenario() -> int:
        pacer = HandshakePacer(lambda: 0, Waits())
        inside = most = 0
        gate = asyncio.Event()

        async def stay() -> None:
            nonlocal inside, most
            async with pacer.turn():
                inside += 1
                most = max(most, inside)
                await gate.wait()
                inside -= 1

        tasks = [asyncio.create_task(stay()) for _ in range(PARALLEL * 2)]
        for _ in range(5):
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*tasks)
        return most

    assert asyncio.run(scenario()) == PARALLEL
