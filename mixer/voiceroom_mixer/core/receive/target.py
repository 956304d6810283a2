"""How long sound should wait: enough for nearly all packets, and no longer.

The need is a high quantile of the worst delays of the last half minute, so that one stray packet
does not set it; a late packet in the middle of speech raises the target at once all the same, and
from there it comes down gently. Nothing is remembered for longer than ``MEMORY_WINDOWS``.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from voiceroom_api.units import NS_PER_MS

MEMORY_WINDOWS: Final = 30
"""Windows of a second."""
OUTLIERS: Final = 1
"""Worst windows that the need leaves out: the 0.95 quantile and a little over."""
DECAY_NS: Final = 10 * NS_PER_MS
"""At most so much down for each window."""
GUARD_NS: Final = 3 * NS_PER_MS
"""For what is not the network's: tick wake-up, resampling."""


class TargetDelay:
    """The target in ns, between ``min_ns`` and ``max_ns``.

    A packet is needed up to one frame before its first sample sounds (the phase between packets
    and frames wanders with the sender's clock), so a frame is added to what the network needs.
    """

    def __init__(self, min_ns: int, max_ns: int, frame_ns: int) -> None:
        self._min_ns, self._max_ns = min_ns, max_ns
        self._allowance_ns = frame_ns + GUARD_NS
        self._peaks: deque[int] = deque(maxlen=MEMORY_WINDOWS)
        self.ns = self._clamp(0)

    def _clamp(self, delay_ns: int) -> int:
        return min(max(delay_ns + self._allowance_ns, self._min_ns), self._max_ns)

    def raise_for(self, delay_ns: int) -> None:
        """A packet came ``delay_ns`` behind the fastest: never less than that from now on."""
        self.ns = max(self.ns, self._clamp(delay_ns))

    def covers(self, delay_ns: int) -> bool:
        """Whether a packet so far behind the fastest one is surely in time."""
        return delay_ns + self._allowance_ns <= self.ns

    def add_window(self, peak_ns: int) -> None:
        """The worst delay of one window."""
        self._peaks.append(peak_ns)
        need_ns = self._clamp(sorted(self._peaks)[-1 - min(OUTLIERS, len(self._peaks) - 1)])
        self.ns = max(need_ns, self.ns - DECAY_NS)

    def restore(self, target_ns: int) -> None:
        """Begin at a target known from before."""
        self.ns = min(max(target_ns, self._min_ns), self._max_ns)

    def forget(self) -> None:
        """Another path: what was learnt of the old one says nothing."""
        self._peaks.clear()
