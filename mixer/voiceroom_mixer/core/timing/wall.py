"""Wall time for RTCP sender reports: the monotonic grid, moved by one measured offset."""

from __future__ import annotations

from typing import Final

STEP_NS: Final = 1_000_000
"""An offset that moved by more was stepped (NTP slews REALTIME and MONOTONIC alike)."""


class WallAnchor:
    """Maps CLOCK_MONOTONIC to CLOCK_REALTIME without reading either.

    NTP slews both clocks by the same rate, so their difference only changes when somebody steps
    the wall clock. The map therefore has exactly the slope of the grid that our RTP timestamps
    count, and a step shows as ``steps``, never as jitter in a report.
    """

    def __init__(self, mono_ns: int, wall_ns: int) -> None:
        self._offset_ns = wall_ns - mono_ns
        self.steps = 0
        """How often the wall clock was stepped since."""

    def wall_ns(self, mono_ns: int) -> int:
        """Wall time in ns since 1970 at ``mono_ns``."""
        return mono_ns + self._offset_ns

    def update(self, mono_ns: int, wall_ns: int, width_ns: int) -> int:
        """Follow a bracketed sample; the step in ns, 0 when there was none.

        A difference that the bracket's own ``width_ns`` explains is noise and changes nothing.
        """
        moved = wall_ns - mono_ns - self._offset_ns
        if abs(moved) <= width_ns:
            return 0
        self._offset_ns += moved
        if abs(moved) < STEP_NS:
            return 0
        self.steps += 1
        return moved
