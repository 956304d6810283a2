"""What one pod has counted since its container began, and what came between two looks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from voiceroom_api.metric import LATENESS_BUCKETS_S

EDGES_US: Final = tuple(round(edge * 1e6) for edge in LATENESS_BUCKETS_S)
Vector = tuple[int, ...]
"""Counts that are added up place by place."""
CALM_US: Final = 30_000
"""Jitter up to it is good: the article's ``le="30"``."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of one pod; they only grow while ``boot_id`` is the same."""

    boot_id: str = ""
    """Empty = the pod has not said: its image is older than these counts."""
    late: Vector = (0,) * (len(EDGES_US) + 1)
    """Ticks by lateness: up to each of ``EDGES_US``, and above. Skipped ones are above."""
    jitter: Vector = (0, 0)
    """Samples of at most 30 ms, and all."""
    recoveries: Vector = (0, 0)
    """Faults of time that were recovered from, and all that have ended."""

    def since(self, before: Counts | None) -> Counts:
        """What was counted since ``before``. A container that began anew counts from 0; of a pod
        that was not seen before nothing is known to be new."""
        if before is None or not before.boot_id:
            return Counts(self.boot_id)
        if before.boot_id != self.boot_id:
            return self
        return Counts(
            self.boot_id,
            grown(before.late, self.late),
            grown(before.jitter, self.jitter),
            grown(before.recoveries, self.recoveries),
        )


def grown(before: Vector, after: Vector) -> Vector:
    """Never negative, whatever a pod says."""
    return tuple(max(0, new - old) for old, new in zip(before, after, strict=True))


def added(one: Vector, other: Vector) -> Vector:
    """Place by place."""
    return tuple(a + b for a, b in zip(one, other, strict=True))


def binned(edges_us: Sequence[int], counts: Sequence[int], skipped: int) -> Vector:
    """Ticks by lateness in buckets of ``EDGES_US``. Of other edges each bucket goes, as a whole,
    where its latest ticks belong: none is taken for better than it was."""
    found = [0] * (len(EDGES_US) + 1)
    for edge, count in zip(edges_us, counts, strict=False):
        found[bisect_left(EDGES_US, edge)] += count
    found[-1] += sum(counts[len(edges_us) :]) + skipped
    return tuple(found)


def quantile_us(late: Vector, share: float) -> float | None:
    """Of ticks by lateness, in microseconds, as ``histogram_quantile`` has it: even within a
    bucket, and never above the last edge. None without ticks."""
    total, below = sum(late), 0
    if not total:
        return None
    for index, count in enumerate(late[:-1]):
        if count and below + count >= share * total:
            low = EDGES_US[index - 1] if index else 0
            return low + (EDGES_US[index] - low) * (share * total - below) / count
        below += count
    return float(EDGES_US[-1])
