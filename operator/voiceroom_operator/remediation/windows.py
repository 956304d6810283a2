"""Seconds of ticks, as a pod reports them and as the operator remembers them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from voiceroom_api import names
from voiceroom_api.thresholds import LOST_SHARE, STEADY_MS, Threshold

HELD_S: Final = 3
"""For so many seconds a pod holds on to a verdict of something that is over."""
_MAY_GO_ON: Final = frozenset({names.STEP_ONE, names.STEP_ALL, names.LOOP_BLOCK})
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
    lasting: bool = False
    """That verdict makes the second bad by itself, whatever its ticks were like."""
    asks: bool = False
    """It asked to be left then: what it can do in place had not helped."""

    def is_bad(self, threshold: Threshold) -> bool:
        """Bad enough to count against the pod."""
        if self.lasting or self.asks or self.ticks == 0:
            return True
        lost = (self.late + self.skipped) / (self.ticks + self.skipped)
        return lost >= LOST_SHARE or self.p99_ms > threshold.bad_ms or self.p50_ms > STEADY_MS

    def is_good(self, threshold: Threshold) -> bool:
        """Good enough to count for it: stricter than not bad."""
        lost = self.late + self.skipped
        doubtful = self.verdict or lost or self.is_bad(threshold)
        return not doubtful and self.p99_ms <= threshold.good_ms


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
        known[window.number] = replace(
            window, verdict=old.verdict, lasting=old.lasting, asks=old.asks
        )
    ordered = [known[number] for number in sorted(known)]
    marked = ordered[-1]
    named, before = verdict or marked.verdict, ordered[-1 - HELD_S : -1]
    ordered[-1] = replace(
        marked, verdict=named, lasting=_lasts(named, before), asks=asks or marked.asks
    )
    return tuple(ordered[-max(keep, LEAST_KEPT) :])


def _lasts(verdict: str, before: Sequence[Window]) -> bool:
    """A wrong rate makes no tick late, so the word counts. A pod holds on to any word for some
    seconds: one step of a clock, or one call that held the loop, is over when it is heard of, and
    counts only when it goes on. Of all others the ticks tell for how long they last."""
    if verdict == names.RATE:
        return True
    seen = len(before) == HELD_S and all(window.verdict == verdict for window in before)
    return verdict in _MAY_GO_ON and seen
