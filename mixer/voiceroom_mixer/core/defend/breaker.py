"""The timing breaker of a media process: CLOSED, OPEN, HALF_OPEN on counts of ticks.

After Hystrix, with a tick for a request. Its own time is what the kernel's sleeps have taken
(``truth_ns``), never a difference of clock readings: the jump that it is there to notice cannot
fool it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import IntEnum

from voiceroom_api.units import NS_PER_MS


class Breaker(IntEnum):
    """As exported; the order is that of severity."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When it opens and closes."""

    window_ticks: int = 500
    """10 s of 20 ms."""
    most_missed: int = 24
    """One stall counts as so many missed ticks at most: alone it is no reason."""
    min_samples: int = 20
    bad_share: float = 0.5
    consecutive: int = 3
    step_ns: int = 50 * NS_PER_MS
    """A clock step of so much, in either direction, opens it at once."""
    open_ns: int = 5_000 * NS_PER_MS
    half_open_ns: int = 5_000 * NS_PER_MS


@dataclass(frozen=True, slots=True)
class Opened:
    """Why it opened last."""

    cause: str
    """``misses``, ``share`` or ``step``."""
    bad: int
    samples: int


class TimingBreaker:
    """One media process's breaker. O(1) a tick."""

    def __init__(self, limits: BreakerLimits | None = None) -> None:
        self.limits = limits or BreakerLimits()
        self.state = Breaker.CLOSED
        self.opened: Opened | None = None
        self.transitions = 0
        self._window: deque[bool] = deque(maxlen=self.limits.window_ticks)
        self._bad = 0
        self._row = 0
        self._elapsed_ns = 0

    def tick(self, *, bad: bool, truth_ns: int, step_ns: int = 0, missed: int = 0) -> Breaker:
        """One tick has passed. ``bad``: late by a frame or more, or its clocks contradict each
        other. ``truth_ns``: what kernel sleeps say has passed since the last tick. ``step_ns``: a
        clock step that was seen in it. ``missed``: ticks before it that were not mixed: bad ones,
        but one stall, however long, is one miss of the row that opens it at once."""
        self._elapsed_ns += max(0, truth_ns)
        for _ in range(min(missed, self.limits.most_missed)):
            self._count(bad=True)
        self._count(bad=bad)
        self._row = self._row + 1 if bad else 0
        cause = self._cause(step_ns)
        if cause and self.state is not Breaker.OPEN:
            self._open(cause)
        elif self.state is Breaker.OPEN and self._elapsed_ns >= self.limits.open_ns:
            self._become(Breaker.HALF_OPEN)
            self._forget()
        elif self.state is Breaker.HALF_OPEN and self._elapsed_ns >= self.limits.half_open_ns:
            self._become(Breaker.CLOSED)
        return self.state

    def _count(self, *, bad: bool) -> None:
        if len(self._window) == self._window.maxlen:
            self._bad -= self._window[0]
        self._window.append(bad)
        self._bad += bad

    def _cause(self, step_ns: int) -> str:
        limits = self.limits
        if abs(step_ns) >= limits.step_ns:
            return "step"
        if self._row >= limits.consecutive:
            return "misses"
        samples = len(self._window)
        enough = samples >= limits.min_samples and self._bad >= limits.bad_share * samples
        return "share" if enough else ""

    def _open(self, cause: str) -> None:
        self.opened = Opened(cause, self._bad, len(self._window))
        self._become(Breaker.OPEN)

    def _become(self, state: Breaker) -> None:
        self.state, self._elapsed_ns = state, 0
        self.transitions += 1

    def _forget(self) -> None:
        self._window.clear()
        self._bad = self._row = 0
