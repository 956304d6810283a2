"""How much of the machine was taken away while a deadline was being measured."""

from __future__ import annotations

from pathlib import Path

STOLEN_TOO_MUCH = 0.05
"""Share of all CPU time: above it a missed deadline says nothing about us."""


def cpu_times() -> tuple[int, int]:
    """(stolen, all) jiffies since boot, from /proc/stat; (0, 0) where there is none."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0, 0
    fields = [int(v) for v in stat.read_text().split("\n", 1)[0].split()[1:9]]
    return fields[7], sum(fields)


def stolen_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Share of CPU time stolen between two looks, 0..1."""
    return (after[0] - before[0]) / max(1, after[1] - before[1])
