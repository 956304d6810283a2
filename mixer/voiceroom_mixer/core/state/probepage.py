"""What a clock probe writes and others read: int64 words of shared memory, a row for each CPU.

A row has one writer, the header the process that started the probe; every value is eight aligned
bytes, hence never torn. Rows that were never written take no memory.
"""

from __future__ import annotations

from typing import Final

from voiceroom_api.metric import LATENESS_BUCKETS_S

CPUS: Final = 1024
"""CPUs beyond are not visited."""
EDGES_US: Final = tuple(round(edge * 1e6) for edge in LATENESS_BUCKETS_S)
REASON_BYTES: Final = 512

HEADER_WORDS: Final = 128
BOOTS: Final = 0
"""Starts of the probe over this page."""
POLICY: Final = 1
"""Index into ``POLICIES``."""
PRIORITY: Final = 2
"""The real-time priority with ``fifo``, else the nice value."""
STRAYED: Final = 3
REASON: Final = 8
"""From this word on: why no more was granted, UTF-8 padded with zeros."""
POLICIES: Final = ("unknown", "fifo", "nice", "plain")

ROW_WORDS: Final = 32
SEEN_NS: Final = 0
"""CLOCK_MONOTONIC of the last visit; 0 = never."""
MAX_NS: Final = 1
"""Greatest lateness of the last 60 s, as of the last visit."""
WAIT_NS: Final = 2
"""Longest wait in the run queue of the last 60 s."""
BUCKETS: Final = 8
"""Not cumulative, overflow last."""
SUM_NS: Final = BUCKETS + len(EDGES_US) + 1

WORDS: Final = HEADER_WORDS + CPUS * ROW_WORDS
BYTES: Final = WORDS * 8


def row_at(cpu: int) -> int:
    """The first word of a CPU's row. Raises ``IndexError`` beyond ``CPUS``."""
    if not 0 <= cpu < CPUS:
        raise IndexError(f"the page has rows for {CPUS} CPUs, not for CPU {cpu}")
    return HEADER_WORDS + cpu * ROW_WORDS
