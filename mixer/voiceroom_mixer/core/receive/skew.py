"""The sender's clock against ours, in ppm.

The fastest packet of each second lies on the lower envelope of transit, where there is no jitter;
the slope of that envelope is the difference of the two clocks. It is fitted by Tukey's resistant
line over up to a minute (medians of the first and the last third), which a few bad seconds do not
move; a step of the path restarts the fit and keeps the estimate.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S

MAX_PPM: Final = 500.0
MEMORY: Final = 60
"""Points, one a second."""
MIN_POINTS: Final = 12
MIN_SPAN_NS: Final = 20 * NS_PER_S
FIT_EVERY: Final = 4
"""Points between two fits."""
STEP_NS: Final = 5 * NS_PER_MS
STEP_POINTS: Final = 3
"""So many seconds in a row this far off on one side are a step."""
_REFERENCE_POINTS: Final = 6


class SkewEstimator:
    """``ppm`` is positive for a sender whose clock is fast; 0 until it is known."""

    def __init__(self, ppm: float = 0.0) -> None:
        self.ppm = min(max(ppm, -MAX_PPM), MAX_PPM)
        self._points: deque[tuple[int, int]] = deque(maxlen=MEMORY)
        self._off = 0
        self._unfitted = 0

    def restart(self) -> None:
        """The path or the timeline has changed: fit anew, keep the estimate until then."""
        self._points.clear()
        self._off = 0

    @property
    def newest(self) -> tuple[int, int] | None:
        """The newest point as (time, lowest transit); None when there is none."""
        return self._points[-1] if self._points else None

    def add(self, at_ns: int, low_ns: int) -> None:
        """The lowest transit of the second that ended at ``at_ns``."""
        if self._stepped(low_ns):
            self.restart()
        self._points.append((at_ns, low_ns))
        self._unfitted += 1
        ready = len(self._points) >= MIN_POINTS and at_ns - self._points[0][0] >= MIN_SPAN_NS
        if ready and self._unfitted >= FIT_EVERY:
            self._unfitted = 0
            self.ppm = min(max(-self._slope() * 1e6, -MAX_PPM), MAX_PPM)

    def _stepped(self, low_ns: int) -> bool:
        if len(self._points) < _REFERENCE_POINTS + STEP_POINTS:
            return False
        recent = list(self._points)[-_REFERENCE_POINTS - STEP_POINTS :]
        off_ns = low_ns - _median([low for _, low in recent[:_REFERENCE_POINTS]])
        side = (off_ns > STEP_NS) - (off_ns < -STEP_NS)
        self._off = self._off + side if side and self._off * side >= 0 else side
        return abs(self._off) >= STEP_POINTS

    def _slope(self) -> float:
        points = list(self._points)
        third = len(points) // 3
        first, last = points[:third], points[-third:]
        run = _median([at for at, _ in last]) - _median([at for at, _ in first])
        return (_median([low for _, low in last]) - _median([low for _, low in first])) / run


def _median(values: list[int]) -> int:
    """The upper median: always one of the values."""
    return sorted(values)[len(values) // 2]
