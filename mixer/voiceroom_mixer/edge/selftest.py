"""The self-test at start: what one reading of each clock costs on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.timing.grade import SLOW_READ_NS
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.clock import Clock

READS: Final = 100_000
SLICE_NS: Final = 30_000_000
"""A clock this slow has shown enough: the test ends for it, and ``reads`` says where."""
_CHUNK: Final = 5_000


class ReadCost(NamedTuple):
    """Cost of one reading in ns, loop included: between successive readings of the same clock."""

    clock: str
    reads: int
    min_ns: float
    mean_ns: float
    std_ns: float
    max_ns: float

    @property
    def slow(self) -> bool:
        """Over a microsecond on average: the vDSO fell back to system calls."""
        return self.mean_ns > SLOW_READ_NS


CLOCKS: Final[Mapping[str, Clock]] = {
    "monotonic": clock.monotonic_ns,
    "raw": clock.raw_ns,
    "boottime": clock.boottime_ns,
    "realtime": clock.wall_ns,
}


def read_cost(name: str, read: Clock, reads: int = READS, slice_ns: int = SLICE_NS) -> ReadCost:
    """Read one clock ``reads`` times, fewer when that takes longer than ``slice_ns``."""
    deltas: list[NDArray[np.int64]] = []
    deadline_ns = clock.monotonic_ns() + slice_ns
    left = reads
    while left > 0 and (not deltas or clock.monotonic_ns() < deadline_ns):
        size = min(left, _CHUNK)
        # iter(callable, sentinel) calls from C: the loop adds less than the reading costs.
        read_at = np.fromiter(iter(read, -1), np.int64, size + 1)
        deltas.append(read_at[1:] - read_at[:-1])
        left -= size
    cost = np.concatenate(deltas)
    return ReadCost(
        name,
        len(cost),
        float(cost.min()),
        float(cost.mean()),
        float(cost.std()),
        float(cost.max()),
    )


def read_costs(
    clocks: Mapping[str, Clock] = CLOCKS, reads: int = READS, slice_ns: int = SLICE_NS
) -> tuple[ReadCost, ...]:
    """Every clock in turn: at most ``slice_ns`` each."""
    return tuple(read_cost(name, read, reads, slice_ns) for name, read in clocks.items())


def passed(costs: tuple[ReadCost, ...]) -> bool:
    """Whether the clock that deadlines stand on is read without a system call."""
    return not any(cost.slow for cost in costs if cost.clock == "monotonic")
