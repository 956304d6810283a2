"""The door's only reader of clocks."""

from __future__ import annotations

import time


def boot_ns() -> int:
    """CLOCK_BOOTTIME: for deadlines, which no set wall clock and no suspend moves."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def wall_s() -> int:
    """Unix time, for what people read."""
    return int(time.time())
