"""The path's fastest transit: what every packet's delay is measured against.

Transit (arrival less timestamp) has an unknown offset, so only its distance to the fastest packet
of the last seconds means anything: that distance is queueing, and the jitter buffer's business.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voiceroom_api.units import NS_PER_S

WINDOW_NS: Final = NS_PER_S
"""Arrivals are summed up once in this time."""
MEMORY_NS: Final = 10 * NS_PER_S
"""How long a fast packet is remembered; a sender 100 ppm slow moves by 1 ms meanwhile."""


class PathDelay:
    """Windowed minimum of transit, in ns."""

    def __init__(self, transit_ns: int) -> None:
        self.base_ns = transit_ns
        """The fastest transit remembered, the open window included as far as ``see`` was told."""
        self._windows: deque[tuple[int, int]] = deque()
        self.steps = 0

    def see(self, low_ns: int) -> int:
        """The base, given the lowest transit of the open window."""
        if low_ns < self.base_ns:
            self.base_ns = low_ns
        return self.base_ns

    def close(self, ended_ns: int, low_ns: int, high_ns: int, step_ns: int) -> int:
        """End a window; the largest delay over the base within it, in ns.

        A window whose every packet was delayed by more than ``step_ns`` is a new path, not
        jitter: the base moves there at once.
        """
        if low_ns - self.base_ns > step_ns:
            self._windows.clear()
            self.steps += 1
        while self._windows and self._windows[0][0] < ended_ns - MEMORY_NS:
            self._windows.popleft()
        self._windows.append((ended_ns, low_ns))
        self.base_ns = min(low for _, low in self._windows)
        return high_ns - self.base_ns
