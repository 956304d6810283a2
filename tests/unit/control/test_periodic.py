"""The schedule of periodic actions is absolute and survives a faulty action."""

from __future__ import annotations

import asyncio

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.control.periodic import Periodic


def test_what_is_missed_is_skipped_and_the_grid_is_kept() -> None:
    now = [0]
    called: list[int] = []

    async def scenario() -> None:
        def action(now_ns: int) -> None:
            called.append(now_ns)
            now[0] += (25 if len(called) == 1 else 10) * NS_PER_MS
            if len(called) == 3:
                periodic.stop()

        periodic = Periodic(10 * NS_PER_MS, action, lambda: now[0])
        task = asyncio.create_task(periodic.run())
        await asyncio.sleep(0)
        now[0] = 22 * NS_PER_MS
        await task

    asyncio.run(scenario())
    # Begun at 0; the first look came at 22 ms and lasted 25: 30 is due at 47, then 50 at 57.
    assert [at // NS_PER_MS for at in called] == [22, 47, 57]


def test_a_fault_is_counted_and_the_schedule_goes_on() -> None:
    calls = 0

    async def scenario() -> int:
        def action(_now_ns: int) -> None:
            nonlocal calls
            calls += 1
            if calls == 1:
                raise ValueError("once")
            periodic.stop()

        periodic = Periodic(NS_PER_MS, action, lambda: calls * NS_PER_MS)
        await periodic.run()
        return periodic.faults

    assert asyncio.run(scenario()) == 1
    assert calls == 2


def test_one_that_rests_is_called_at_every_fifth_moment_and_when_it_is_poked() -> None:
    now = [0]
    called: list[int] = []

    async def scenario() -> None:
        def action(now_ns: int) -> None:
            called.append(now_ns // NS_PER_MS)
            now[0] += NS_PER_MS

        periodic = Periodic(10 * NS_PER_MS, action, lambda: now[0], lambda: True)
        task = asyncio.create_task(periodic.run())
        await asyncio.sleep(0)
        now[0] = 10 * NS_PER_MS
        periodic.poke()
        await _settled()
        now[0] = 33 * NS_PER_MS  # due at 60 now
        periodic.poke()
        periodic.poke()
        await _settled()
        periodic.stop()
        await task

    asyncio.run(scenario())
    assert called == [10, 33]


def test_an_action_that_pokes_itself_holds_up_nobody() -> None:
    calls = 0

    async def scenario() -> None:
        def action(_now_ns: int) -> None:
            nonlocal calls
            calls += 1
            periodic.poke()

        periodic = Periodic(NS_PER_MS, action, lambda: calls * NS_PER_MS)
        task = asyncio.create_task(periodic.run())
        periodic.poke()
        await _settled()
        periodic.stop()
        await task

    asyncio.run(scenario())
    assert calls > 1


async def _settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)
