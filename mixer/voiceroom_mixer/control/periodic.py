"""One action on an absolute schedule, on the event loop of control."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from voiceroom_api.units import NS_PER_S

REST: Final = 5
_log = logging.getLogger(__name__)


class Periodic:
    """Calls ``action(now_ns)`` at ``start + k * period``; what was missed is skipped, never made
    up for. A fault in the action is logged and counted, and the schedule goes on.

    While ``rests()`` it is called at every ``REST``-th of these moments only, and when ``poke``
    says that something has happened.
    """

    def __init__(
        self,
        period_ns: int,
        action: Callable[[int], None],
        now_ns: Callable[[], int],
        rests: Callable[[], bool] = lambda: False,
    ) -> None:
        self._period_ns = period_ns
        self._action = action
        self._now_ns = now_ns
        self._rests = rests
        self._wake: asyncio.Future[None] | None = None
        self._stopping = self._poked = False
        self.faults = 0

    async def run(self) -> None:
        """Until ``stop``."""
        deadline_ns = self._now_ns() + self._period_ns
        while not await self._stopped_before(deadline_ns):
            now_ns = self._now_ns()
            self._poked = False
            try:
                self._action(now_ns)
            except Exception:
                self.faults += 1
                _log.exception("a periodic action failed")
            passed = (now_ns - deadline_ns) // self._period_ns
            deadline_ns += (passed + (REST if self._rests() else 1)) * self._period_ns

    async def _stopped_before(self, deadline_ns: int) -> bool:
        if self._poked:
            await asyncio.sleep(0)  # by an action that pokes itself others must not be held up
        elif not self._stopping:
            # a bare future and no asyncio.timeout: this is most of what an idle process does
            loop = asyncio.get_running_loop()
            self._wake = loop.create_future()
            after_s = (deadline_ns - self._now_ns()) / NS_PER_S
            timer = loop.call_later(after_s, self._end_wait)
            try:
                await self._wake
            finally:
                timer.cancel()
        return self._stopping

    def _end_wait(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def poke(self) -> None:
        """Call the action soon; several in a row are one."""
        self._poked = True
        self._end_wait()

    def stop(self) -> None:
        """End ``run`` soon."""
        self._stopping = True
        self._end_wait()
