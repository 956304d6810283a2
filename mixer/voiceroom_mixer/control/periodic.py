"""One action on an absolute schedule, on the event loop of control."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from voiceroom_api.units import NS_PER_S

_log = logging.getLogger(__name__)


class Periodic:
    """Calls ``action(now_ns)`` at ``start + k * period``; what was missed is skipped, never made
    up for. A fault in the action is logged and counted, and the schedule goes on."""

    def __init__(
        self, period_ns: int, action: Callable[[int], None], now_ns: Callable[[], int]
    ) -> None:
        self._period_ns = period_ns
        self._action = action
        self._now_ns = now_ns
        self._stopping = asyncio.Event()
        self.faults = 0

    async def run(self) -> None:
        """Until ``stop``."""
        deadline_ns = self._now_ns() + self._period_ns
        while not await self._stopped_before(deadline_ns):
            now_ns = self._now_ns()
            try:
                self._action(now_ns)
            except Exception:
                self.faults += 1
                _log.exception("a periodic action failed")
            missed = max(0, now_ns - deadline_ns) // self._period_ns
            deadline_ns += (missed + 1) * self._period_ns

    async def _stopped_before(self, deadline_ns: int) -> bool:
        try:
            async with asyncio.timeout((deadline_ns - self._now_ns()) / NS_PER_S):
                return await self._stopping.wait()
        except TimeoutError:
            return False

    def stop(self) -> None:
        """End ``run`` soon."""
        self._stopping.set()
