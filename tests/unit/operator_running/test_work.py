"""The queue of namespaces, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from fakes.looptime import run
from fakes.town import LoopClock
from voiceroom_operator.round.acting import NotLeading
from voiceroom_operator.round.outcome import RoundFailed
from voiceroom_operator.running.work import Work


class Count:
    """A ``Meter``."""

    def __init__(self) -> None:
        self.results: list[str] = []

    def reconciled(self, result: str, seconds: float) -> None:
        self.results.append(result)


class Desk:
    """A queue, and when its rounds began, in seconds since it was made."""

    def __init__(self, reconcile: Callable[[str], Awaitable[float | None]]) -> None:
        self.meter = Count()
        self.began: list[tuple[float, str]] = []
        self._zero_s = asyncio.get_running_loop().time()

        async def observed(key: str) -> float | None:
            passed_s = asyncio.get_running_loop().time() - self._zero_s
            self.began.append((round(passed_s, 2), key))
            return await reconcile(key)

        self.clock = LoopClock()
        self.work = Work(self.clock, observed, self.meter)
        self._task = asyncio.ensure_future(self.work.run())

    def times(self, key: str = "a") -> list[float]:
        return [at_s for at_s, of in self.began if of == key]

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


def test_news_of_a_key_that_waits_makes_one_round() -> None:
    async def scene() -> None:
        async def reconcile(_: str) -> None:
            await asyncio.sleep(0.1)

        desk = Desk(reconcile)
        for _ in range(100):
            desk.work.add("a")
        await asyncio.sleep(0.05)
        for _ in range(100):
            desk.work.add("a")
        await asyncio.sleep(5)
        assert len(desk.began) == 2
        await desk.close()

    run(scene())


def test_a_failed_key_waits_longer_each_time_and_news_does_not_wait_so_long() -> None:
    async def scene() -> None:
        async def reconcile(_: str) -> None:
            raise RoundFailed(1, 0.0)

        desk = Desk(reconcile)
        desk.work.add("a")
        await asyncio.sleep(60)
        waits = [b - a for a, b in pairwise(desk.times())]
        assert [round(wait, 1) for wait in waits[:7]] == [0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0]
        before = len(desk.began)
        await asyncio.sleep(1.0)
        desk.work.add("a")
        await asyncio.sleep(0.01)
        assert len(desk.began) == before + 1
        await desk.close()

    run(scene())


def test_a_key_of_which_something_gets_done_does_not_wait_longer_each_time() -> None:
    async def scene() -> None:
        async def reconcile(_: str) -> None:
            raise RoundFailed(1, 0.0, writes=len(desk.began) % 4 == 0)

        desk = Desk(reconcile)
        desk.work.add("a")
        await asyncio.sleep(30)
        waits = [b - a for a, b in pairwise(desk.times())]
        assert [round(wait, 1) for wait in waits[:8]] == [0.2, 0.5, 1.0, 0.2, 0.5, 1.0, 2.0, 0.2]
        await desk.close()

    run(scene())


def test_news_does_not_shorten_what_the_api_server_asked_for() -> None:
    async def scene() -> None:
        failing = [True]

        async def reconcile(_: str) -> None:
            if failing:
                failing.pop()
                raise RoundFailed(1, 7.0)

        desk = Desk(reconcile)
        desk.work.add("a")
        for _ in range(100):
            await asyncio.sleep(0.1)
            desk.work.add("a")
        assert desk.times()[1] - desk.times()[0] == 7.0
        await desk.close()

    run(scene())


def test_a_key_that_fails_holds_up_no_other() -> None:
    async def scene() -> None:
        async def reconcile(key: str) -> None:
            if key == "a":
                raise RoundFailed(1, 15.0)
            if key == "crash":
                raise ZeroDivisionError

        desk = Desk(reconcile)
        desk.work.add("a")
        desk.work.add("crash")
        await asyncio.sleep(1)
        desk.work.add("b")
        await asyncio.sleep(0.1)
        assert desk.times("b") == [1.0]
        assert {"failed", "crashed", "ok"} == set(desk.meter.results)
        await desk.close()

    run(scene())


@pytest.mark.parametrize(
    ("works", "took_s", "second_s"),
    [(True, 0.3, 0.6), (True, 2.0, 2.5), (False, 0.3, 0.32), (False, 2.0, 2.02)],
)
def test_a_pause_is_as_long_as_its_round_was_at_work_but_no_longer_than_half_a_second(
    works: bool, took_s: float, second_s: float
) -> None:
    """The rest is waiting for the API server."""

    async def scene() -> None:
        async def reconcile(_: str) -> None:
            await asyncio.sleep(took_s)

        desk = Desk(reconcile)
        desk.clock.works = works
        desk.work.add("a")
        await asyncio.sleep(0.05)
        desk.work.add("a")
        await asyncio.sleep(10)
        assert desk.times() == [0.0, second_s]
        await desk.close()

    run(scene())


def test_who_leads_no_more_does_not_try_again() -> None:
    async def scene() -> None:
        async def reconcile(_: str) -> None:
            raise NotLeading

        desk = Desk(reconcile)
        desk.work.add("a")
        await asyncio.sleep(60)
        assert desk.times() == [0.0]
        assert desk.work.depth() == 0
        await desk.close()

    run(scene())
