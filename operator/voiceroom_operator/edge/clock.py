"""The operator's only reader of clocks. Everything else gets one of these, or a time."""

from __future__ import annotations

import asyncio
import time
from typing import Final, Protocol

SLEW: Final = 0.01
"""The share of elapsed time by which Unix time may be put right."""


class Clock(Protocol):
    """What tells the time."""

    def monotonic_s(self) -> float:
        """For intervals: never steps."""

    def unix_s(self) -> float:
        """For what is written into objects, and deadlines: Unix time that never steps."""

    def wall_s(self) -> float:
        """For tokens, which others hold against their own clocks now: Unix time as it is."""

    def cpu_s(self) -> float:
        """CPU time that this process has used."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class Slewed:
    """Unix time that never steps.

    A clock that jumps ahead would end every drain at once. So a wrong clock is followed slowly,
    by ``SLEW`` of the time that passes; a restart begins at the clock's own time.
    """

    def __init__(self, unix_s: float, monotonic_s: float) -> None:
        self._unix_s = unix_s
        self._monotonic_s = monotonic_s

    def read(self, unix_s: float, monotonic_s: float) -> float:
        """The time now, where the system's clocks say ``unix_s`` and ``monotonic_s``."""
        passed_s = monotonic_s - self._monotonic_s
        expected_s = self._unix_s + passed_s
        allowed_s = SLEW * passed_s
        self._unix_s = expected_s + max(-allowed_s, min(allowed_s, unix_s - expected_s))
        self._monotonic_s = monotonic_s
        return self._unix_s


class SystemClock:
    """The machine's."""

    def __init__(self) -> None:
        self._slewed = Slewed(time.time(), time.monotonic())

    def monotonic_s(self) -> float:
        """CLOCK_MONOTONIC."""
        return time.monotonic()

    def unix_s(self) -> float:
        """CLOCK_REALTIME without its steps."""
        return self._slewed.read(time.time(), time.monotonic())

    def wall_s(self) -> float:
        """CLOCK_REALTIME, steps and all."""
        return time.time()

    def cpu_s(self) -> float:
        """CLOCK_PROCESS_CPUTIME_ID: user and system, of all threads."""
        return time.process_time()

    async def sleep(self, seconds: float) -> None:
        """On the event loop."""
        await asyncio.sleep(seconds)
