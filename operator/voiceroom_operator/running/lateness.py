"""Whether this process keeps time itself: a leader on a stalled node would see faults everywhere
and help nobody. It measures how late its own event loop wakes it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from voiceroom_operator.edge.clock import Clock

TICK_S: Final = 0.1
LATE_S: Final = 0.5
"""So late in a second is a bad second."""
BAD_SECONDS: Final = 3
OF_SECONDS: Final = 5
AT_ONCE_S: Final = 3.0
"""So late once is a stall by itself."""
SHY_S: Final = 30.0
"""For so long after its last bad second a replica leaves the Lease to others."""
SHOWN_S: Final = 60.0


class Lateness:
    """Of this process. Time is an argument (monotonic seconds)."""

    def __init__(self) -> None:
        self._bad: deque[int] = deque(maxlen=OF_SECONDS)
        """Bad seconds, by their number."""
        self._stalled_s = float("-inf")
        self._worst: deque[tuple[float, float]] = deque()
        """Time and lateness, each less late than those before it."""

    def woke(self, due_s: float, now_s: float) -> None:
        """It was to wake at ``due_s`` and woke at ``now_s``."""
        late_s = max(0.0, now_s - due_s)
        while self._worst and self._worst[-1][1] <= late_s:
            self._worst.pop()
        self._worst.append((now_s, late_s))
        if late_s < LATE_S:
            return
        if not self._bad or self._bad[-1] != int(now_s):
            self._bad.append(int(now_s))
        lately = sum(second > now_s - OF_SECONDS - late_s for second in self._bad)
        if lately >= BAD_SECONDS or late_s >= AT_ONCE_S:
            self._stalled_s = now_s

    def is_stalled(self, now_s: float) -> bool:
        """It does not keep time now."""
        return now_s - self._stalled_s < OF_SECONDS

    def is_shy(self, now_s: float) -> bool:
        """It has not kept time for long enough to lead while others could."""
        return now_s - self._stalled_s < SHY_S

    def worst_s(self, now_s: float) -> float:
        """The greatest lateness within ``SHOWN_S``."""
        while self._worst and now_s - self._worst[0][0] > SHOWN_S:
            self._worst.popleft()
        return self._worst[0][1] if self._worst else 0.0


async def measure(clock: Clock, lateness: Lateness, on_stall: Callable[[], None]) -> None:
    """For ever. ``on_stall`` is called whenever a stall begins."""
    due_s = clock.monotonic_s() + TICK_S
    stalled = False
    while True:
        await clock.sleep(max(0.0, due_s - clock.monotonic_s()))
        now_s = clock.monotonic_s()
        lateness.woke(due_s, now_s)
        before, stalled = stalled, lateness.is_stalled(now_s)
        if stalled and not before:
            on_stall()
        due_s = now_s + TICK_S
