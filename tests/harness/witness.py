"""Sleeps 5 ms at a time in the real-time class and writes down when it was woken late: what no
process of ours caused. Run as ``python witness.py FILE``; a line is "monotonic_ns late_ns"."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

PERIOD_NS = 5_000_000
WORTH_A_LINE_NS = 5_000_000
PRIORITY = 90
"""Above every mixer's."""


def main(path: str) -> None:
    """Until somebody ends it, or nobody is there to read."""
    parent = os.getppid()
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    with open(path, "a", buffering=1) as seen:
        while os.getppid() == parent:
            due = time.monotonic_ns() + PERIOD_NS
            time.sleep(PERIOD_NS / 1e9)
            now = time.monotonic_ns()
            if now - due >= WORTH_A_LINE_NS:
                seen.write(f"{now} {now - due}\n")


if __name__ == "__main__":
    main(sys.argv[1])
