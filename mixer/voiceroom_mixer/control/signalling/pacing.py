"""Handshakes in a row with gaps, so that a crowd at the door is not heard in the room.

A join costs ``COST_NS`` of CPU at most (measured on one 2-vCPU machine: 0.8 ms for the handshake,
0.5 ms for offer and answer, about 1 ms for HTTP), and joins may take ``CPU_SHARE`` of one CPU:
handshakes start at least ``COST_NS / CPU_SHARE`` apart. Only those that have proved by ICE where
they are stand in the row.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.service import ApiError

COST_NS: Final = 3 * NS_PER_MS
CPU_SHARE: Final = 0.25
INTERVAL_NS: Final = int(COST_NS / CPU_SHARE)
PARALLEL: Final = 16
JOIN_WAIT_NS: Final = 2 * NS_PER_S
"""Joins are refused while the row is longer than this."""
MAX_TIMES: Final = 1024
"""Durations kept for export; the oldest are forgotten beyond it."""
ROW_WAIT_NS: Final = 8 * NS_PER_S
"""Longer than this it never gets: who comes then is turned away."""


class RowFull(Exception):
    """Too many handshakes wait already."""


async def _wait(seconds: float) -> None:
    await asyncio.sleep(seconds)


class HandshakePacer:
    """Gives out starting times. ``refused`` counts those who were turned away."""

    def __init__(
        self, now_ns: Callable[[], int], wait: Callable[[float], Awaitable[None]] = _wait
    ) -> None:
        self._now_ns = self.now_ns = now_ns
        self._wait = wait
        self._next_ns = 0
        self._parallel = asyncio.Semaphore(PARALLEL)
        self.refused = 0
        self.overflowed = 0
        """Datagrams for which a handshake that waited had no room."""
        self.took_ns: deque[int] = deque(maxlen=MAX_TIMES)
        """Of handshakes that succeeded, their row included; whoever exports them takes them out."""

    def waiting_ns(self) -> int:
        """How long the next to come would wait."""
        return max(0, self._next_ns - self._now_ns())

    def refuse_when_busy(self) -> None:
        """Raises ``ApiError`` 503 ``busy`` with Retry-After, at the door."""
        waiting_ns = self.waiting_ns()
        if waiting_ns > JOIN_WAIT_NS:
            self.refused += 1
            seconds = math.ceil(waiting_ns / NS_PER_S)
            raise ApiError(
                503,
                "busy",
                "too many are joining at this moment: try again shortly",
                headers={"Retry-After": str(seconds)},
            )

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for one's turn and hold one of the places. Raises ``RowFull``."""
        now_ns = self._now_ns()
        start_ns = max(now_ns, self._next_ns)
        if start_ns - now_ns > ROW_WAIT_NS:
            self.refused += 1
            raise RowFull
        self._next_ns = start_ns + INTERVAL_NS
        if start_ns > now_ns:
            await self._wait((start_ns - now_ns) / NS_PER_S)
        async with self._parallel:
            yield
