"""Calls side by side, in virtual time."""

from __future__ import annotations

import asyncio

import pytest

from fakes.looptime import run
from fakes.town import LoopClock
from voiceroom_operator.round.writes import AT_ONCE, STAGE_S, Call, at_once


class Slow:
    """Calls that take ``seconds`` each; which have begun."""

    def __init__(self, seconds: float, failing: int = -1) -> None:
        self.seconds = seconds
        self.failing = failing
        self.begun: list[int] = []
        self.ended = 0

    def calls(self, count: int) -> list[Call]:
        return [lambda number=number: self._one(number) for number in range(count)]  # type: ignore[misc]

    async def _one(self, number: int) -> None:
        self.begun.append(number)
        await asyncio.sleep(self.seconds)
        self.ended += 1
        if number == self.failing:
            raise ZeroDivisionError(number)


def test_as_many_as_there_is_time_for_in_their_order() -> None:
    slow = Slow(STAGE_S / 2)
    left = run(at_once(slow.calls(100), LoopClock()))
    assert slow.begun == list(range(2 * AT_ONCE))
    assert left == 100 - 2 * AT_ONCE


def test_some_are_made_however_long_they_take() -> None:
    slow = Slow(60.0)
    assert run(at_once(slow.calls(AT_ONCE + 1), LoopClock())) == 1
    assert slow.ended == AT_ONCE


def test_what_is_quick_is_made_whole() -> None:
    slow = Slow(0.0)
    assert run(at_once(slow.calls(5000), LoopClock())) == 0
    assert slow.ended == 5000


def test_none_begins_after_one_that_failed_and_what_it_raised_is_raised() -> None:
    slow = Slow(0.1, failing=3)

    with pytest.raises(ZeroDivisionError):
        run(at_once(slow.calls(100), LoopClock()))
    assert slow.ended == len(slow.begun) < 2 * AT_ONCE
