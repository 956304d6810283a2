"""Calls made side by side, for no longer than a round may take."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from voiceroom_operator.edge.clock import Clock

AT_ONCE: Final = 8
"""Calls on their way at once."""
STAGE_S: Final = 0.5
"""No call of a stage of a round begins later, but for the first ones: where the API server is slow
or there is much to write, news is looked at in between."""
ASIDE_S: Final = 0.15
"""The same for what nobody waits for: a room that has come meanwhile waits for two rounds."""

Call = Callable[[], Awaitable[None]]


async def at_once(calls: Iterable[Call], clock: Clock, within_s: float = STAGE_S) -> int:
    """``AT_ONCE`` at a time, in their order; how many were not begun ``within_s``.

    Raises what the first of them raises, once all others have ended; none is begun after it.
    """
    end_s = clock.monotonic_s() + within_s
    left, failed = deque(calls), list[Exception]()

    async def work() -> None:
        begun = False
        while left and not failed and not (begun and clock.monotonic_s() >= end_s):
            begun = True
            try:
                await left.popleft()()
            except Exception as error:
                failed.append(error)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    if failed:
        raise failed[0]
    return len(left)
