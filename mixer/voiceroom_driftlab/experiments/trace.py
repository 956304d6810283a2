"""A trace of ticks: when each was due, when it ran, and what of that a listener notices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Nanoseconds = NDArray[np.int64]

HUNDRED: Final = 100
"""Frames over which the article adds its errors up."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The ticks of one timer backend, in the order in which they ran."""

    backend: str
    period_ns: int
    start_ns: int
    """Tick n was due at ``start_ns + n * period_ns``."""
    ran_ns: Nanoseconds
    chained: bool
    """Each tick set the timer for the next one, relative to itself."""

    @property
    def late_ns(self) -> Nanoseconds:
        """Against the grid of the sound, which begins where the timer was first set."""
        due = self.start_ns + np.arange(1, len(self.ran_ns) + 1) * self.period_ns
        late: Nanoseconds = self.ran_ns - due
        return late

    @property
    def deviation_ns(self) -> Nanoseconds:
        """Of each shot from what its timer was asked for: the grid, or one period after the tick
        before."""
        if not self.chained:
            return self.late_ns
        before = np.concatenate(([self.start_ns], self.ran_ns[:-1]))
        deviation: Nanoseconds = self.ran_ns - before - self.period_ns
        return deviation


@dataclass(frozen=True, slots=True)
class Indicators:
    """The three of the article's table (S3.3)."""

    frames: int
    mean_deviation_ms: float
    max_jitter_ms: float
    breaks: int
    break_rate: float
    """Breaks for each frame."""


def indicators(trace: Trace) -> Indicators:
    """Raises ``ValueError`` for a trace without a tick."""
    if not len(trace.ran_ns):
        raise ValueError(f"{trace.backend}: no tick ran")
    deviation = np.abs(trace.deviation_ns) / 1e6
    broken = breaks(trace.late_ns, trace.period_ns)
    return Indicators(
        len(deviation), float(deviation.mean()), float(deviation.max()),
        broken, broken / len(deviation),
    )  # fmt: skip


def breaks(late_ns: Nanoseconds, slack_ns: int) -> int:
    """How often a sink with ``slack_ns`` of sound in hand runs dry.

    It starts again with the frame that it had waited for, so one stall is one break however many
    frames it makes late, and a drift is one break each time that it has used up the slack.
    """
    count, anchor_ns = 0, 0
    for late in late_ns.tolist():
        if late - anchor_ns > slack_ns:
            count += 1
            anchor_ns = late
    return count


def sum_over_hundred_ns(late_ns: Nanoseconds) -> int:
    """How much later the 101st frame is than the first, or the last where there are fewer."""
    return int(late_ns[min(HUNDRED, len(late_ns) - 1)] - late_ns[0])
