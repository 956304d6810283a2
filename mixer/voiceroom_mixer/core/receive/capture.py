"""When a sender's sound was captured, on our clock (abs-capture-time, RTCP SR, round trip)."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S

REPORTS: Final = 6
"""The quickest of so many sender reports tells the clocks' distance: 30 s, in which two clocks
that run 30 ppm apart part by 1 ms."""
MAX_NS: Final = 5 * NS_PER_S
"""What claims to be older is no capture time."""
ERROR_NS: Final = 20 * NS_PER_MS
"""What claims to come this much from the future is none either."""


class CaptureClock:
    """One sender's clock against ours.

    A sender report names a moment on the sender's clock and comes half a round trip later, or more
    where it had to queue: the least of a few is believed. Half of what the two ways differ by is
    the error that stays, and nobody can see it from here.
    """

    __slots__ = ("_apart",)

    def __init__(self) -> None:
        self._apart: tuple[int, ...] = ()

    def report(self, sent_ns: int, arrival_ns: int) -> None:
        """A sender report: its NTP time in ns, and when it came, on our clock."""
        self._apart = (*self._apart, arrival_ns - sent_ns)[-REPORTS:]

    def captured_ns(self, capture_ns: int, rtt_ns: int) -> int | None:
        """``capture_ns`` of the sender's clock on ours; None while one is not known of the two."""
        if not self._apart or not rtt_ns:
            return None
        return capture_ns + min(self._apart) - rtt_ns // 2


def origin_ns(captured_ns: int, stamp_ns: int, base_ns: int) -> int | None:
    """From capture to arrival by the fastest path; None where that cannot be.

    Clocks are compared to within half a round trip and capture is told to within a frame, so a
    path that is quicker than that may seem to take less than no time: it takes none to speak of.
    ``stamp_ns``: the packet's extended timestamp as a time; ``base_ns``: the fastest transit, as
    ``PathDelay`` has it. What this very packet queued is in the buffer's share.
    """
    delay_ns = base_ns + stamp_ns - captured_ns
    return max(0, delay_ns) if -ERROR_NS <= delay_ns <= MAX_NS else None
