"""Seconds of ticks, as a pod reports them and as the operator remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from voiceroom_api.thresholds import LOST_SHARE, STEADY_MS, Threshold

LEAST_KEPT: Final = 16
"""Seconds that are remembered of every pod."""


@dataclass(frozen=True, slots=True)
class Window:
    """One second of a pod's ticks."""

    number: int
    """Seconds of its node's monotonic clock."""
    ticks: int = 0
    late: int = 0
    """By a frame or more."""
    skipped: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    work_ms: float = 0.0
    """p99 of what a tick's work takes."""
    verdict: str = ""
    """What the pod said was wrong when this second was its newest."""
    asks: bool = False
    """It asked to be left then: its breaker was open, or its ladder at the last step."""

    def is_bad(self, threshold: Threshold) -> bool:
        """Bad enough to count against the pod."""
        if self.verdict or self.asks or self.ticks == 0:
            return True
        lost = (self.late + self.skipped) / (self.ticks + self.skipped)
        return lost >= LOST_SHARE or self.p99_ms > threshold.bad_ms or self.p50_ms > STEADY_MS

    def is_good(self, threshold: Threshold) -> bool:
        """Good enough to count for it: stricter than not bad."""
        lost = self.late + self.skipped
        return not (self.is_bad(threshold) or lost) and self.p99_ms <= threshold.good_ms


History = tuple[Window, ...]
"""Of one pod, the oldest first, without gaps in what was reported."""


def noted(
    history: History, said: Sequence[Window], verdict: str, asks: bool, keep: int = LEAST_KEPT
) -> History:
    """The history with what the pod says now. ``verdict`` and ``asks`` are of this moment, so
    they are its newest second's. ``keep``: seconds to remember."""
    if not said:
        return history
    newest = max(window.number for window in said)
    if history and newest < history[-1].number:
        history = ()  # the node has started anew: its clock counts from 0
    known = {window.number: window for window in history}
    for window in said:
        old = known.get(window.number, window)
        known[window.number] = replace(window, verdict=old.verdict, asks=old.asks)
    marked = known[newest]
    known[newest] = replace(marked, verdict=verdict or marked.verdict, asks=asks or marked.asks)
    ordered = [known[number] for number in sorted(known)]
    return tuple(ordered[-max(keep, LEAST_KEPT) :])
