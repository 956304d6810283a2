"""Time as the kernel's timers keep it, at the price of a reading.

Whoever sleeps until a deadline, and then asks how late it is, must ask the clock that the sleep
went by. That is the kernel's, and not what the vDSO shows: a reading that is 50 ms ahead would make
every sleep look 50 ms late, though none is. Here a reading is taken, and what readings are ahead by
is taken off. Whenever a reading has moved on by some milliseconds since the last look, or has gone
back, it is compared with the word of the kernel (``clock.true_reader``); so each sleep is followed
by a look, and a step costs no frame. A process that really stood still was left behind by the
kernel's clock as well: its lateness is never taken for a step.

Where there is no such word (``clock.has_syscall_clock``) only what was injected into this process
is seen through; the detectors then name a step by the other clocks, and it harms.
"""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.timing.ahead import Ahead, Bracket
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.clock import Clock

LOOK_NS: Final = 4 * NS_PER_MS
"""Less than the shortest sleep of the tick loop. A look costs a system call, about 1 µs."""
_TRIES: Final = 3
_LONG_AGO: Final = -(1 << 63)


class KeptClock:
    """One clock. Called, it gives nanoseconds. One owner, never shared between threads."""

    __slots__ = ("_ahead", "_looked_ns", "_read", "_truth")

    def __init__(self, read: Clock, truth: Clock) -> None:
        """``truth``: the same clock by the kernel's own word."""
        self._read, self._truth = read, truth
        self._ahead = Ahead()
        self._looked_ns = _LONG_AGO

    @property
    def ahead_ns(self) -> int:
        """What readings were ahead by at the last look; it is taken off."""
        return self._ahead.ns

    @property
    def steps(self) -> int:
        """Corrections of a millisecond or more since the start."""
        return self._ahead.steps

    def __call__(self) -> int:
        shown_ns = self._read()
        if 0 <= shown_ns - self._looked_ns < LOOK_NS:
            return shown_ns - self._ahead.ns
        return self._look(shown_ns)

    def error_ns(self) -> int:
        """What readings are ahead by now, after a look of its own."""
        self._look(self._read())
        return self._ahead.ns

    def _look(self, shown_ns: int) -> int:
        ahead, true_ns, after_ns = self._ahead, self._truth(), self._read()
        if not ahead.allows(shown_ns, true_ns, after_ns):
            ahead.learn(self._bracket() for _ in range(_TRIES))
            shown_ns = after_ns = self._read()
        self._looked_ns = after_ns
        return shown_ns - ahead.ns

    def _bracket(self) -> Bracket:
        return Bracket(self._read(), self._truth(), self._read())


monotonic_ns: Final = KeptClock(
    clock.current_monotonic_ns, clock.true_reader(clock.CLOCK_MONOTONIC)
)
"""Deadlines, and everything that is measured against them."""
raw_ns: Final = KeptClock(clock.current_raw_ns, clock.true_reader(clock.CLOCK_MONOTONIC_RAW))
"""When packets came."""
