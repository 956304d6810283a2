"""The mixer's own record of recent ticks, read from the memory it shares between its processes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.edge.shm import Segment, attach

_MEMFD: Final = "/memfd:voiceroom-media-0"
_LATE: Final = stats.TICK_FIELDS.index("late_ns")
_WORK: Final = stats.TICK_FIELDS.index("work_ns")
_SKIPPED: Final = stats.TICK_FIELDS.index("skipped")


@dataclass(frozen=True, slots=True)
class Ticks:
    """A stretch of ticks, in nanoseconds."""

    late_ns: NDArray[np.int64]
    """Wake-up after the frame's deadline."""
    work_ns: NDArray[np.int64]
    """From the wake-up to the last packet sent."""
    skipped: int

    @property
    def done_ns(self) -> NDArray[np.int64]:
        """From the frame's deadline to its last packet sent."""
        return self.late_ns + self.work_ns

    def to_dict(self) -> dict[str, int]:
        """Quantiles in microseconds, for the JSON of the run."""
        figures = {"count": len(self.work_ns), "skipped": self.skipped}
        for name, values in (
            ("late", self.late_ns),
            ("work", self.work_ns),
            ("done", self.done_ns),
        ):
            for label, q in (("p50", 0.5), ("p99", 0.99), ("max", 1.0)):
                figures[f"{name}_{label}_us"] = quantile(values, q) // 1000
        return figures


def quantile(values: NDArray[np.int64], q: float) -> int:
    """Nearest rank. Raises ``BenchError`` when there are none."""
    if not len(values):
        raise BenchError("the mixer has recorded no tick")
    return int(np.quantile(values, q, method="inverted_cdf"))


def _segment_fd(pid: int) -> int:
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed while we look
            if os.readlink(link).startswith(_MEMFD):
                return os.open(link, os.O_RDWR)
    raise BenchError(f"process {pid} shares no media segment")


class TickRecord:
    """Of one running mixer."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    @property
    def count(self) -> int:
        """Ticks so far."""
        return int(self._segment.counters[stats.INDEX["ticks"]])

    def since(self, count: int) -> Ticks:
        """Ticks after the ``count``-th. Raises ``BenchError`` when the ring has lost some."""
        now = self.count
        if now - count > layout.TICK_RING - 2:
            raise BenchError(f"the window is longer than the {layout.TICK_RING} ticks kept")
        rows = np.arange(count + 1, now + 1)
        ring = self._segment.ticks[rows % layout.TICK_RING].copy()
        return Ticks(ring[:, _LATE], ring[:, _WORK], int(ring[:, _SKIPPED].sum()))


@contextlib.contextmanager
def tick_record(pid: int) -> Iterator[TickRecord]:
    """Look into the segment that process ``pid`` has open."""
    fd = _segment_fd(pid)
    try:
        yield TickRecord(attach(fd))
    finally:
        os.close(fd)
