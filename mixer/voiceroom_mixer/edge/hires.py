"""The high-resolution timer: RAW time, deadlines on it, and its calibration in spare moments.

No thread: whoever has time left calls ``step``. A window of 5 s takes 200 rounds of a few
microseconds, one for each tick or so, hence a step of a clock is seen within a frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from voiceroom_mixer.core.timing.calibration import (
    READINGS_PER_WINDOW,
    WINDOW_NS,
    Calibration,
    Calibrator,
    Reading,
)
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.clock import Clock

_ROUND_EVERY_NS: Final = WINDOW_NS // READINGS_PER_WINDOW


def system_references() -> Mapping[str, Clock]:
    """The clocks that can be compared here with CLOCK_MONOTONIC, by the name of their pair."""
    references: dict[str, Clock] = {
        "raw": clock.current_raw_ns,
        "boottime": clock.current_boottime_ns,
        "realtime": clock.wall_ns,
    }
    if clock.has_syscall_clock():
        references["syscall"] = clock.syscall_monotonic_ns
    return MappingProxyType(references)


class HighResTimer:
    """Reads, sleeps and calibrates; one owner, never shared between threads.

    ``calibration()`` is an immutable value that is replaced whole, so it may be read anywhere.
    """

    def __init__(
        self,
        references: Mapping[str, Clock] | None = None,
        monotonic: Clock = clock.current_monotonic_ns,
    ) -> None:
        """Takes about 2 ms: a first window of 200 rounds, so that the map to RAW holds at once."""
        self._references = tuple((references or system_references()).items())
        self._monotonic = monotonic
        self._calibrator = Calibrator(name for name, _ in self._references)
        self._round_ns = 1
        self.steps_seen = 0
        """Steps of any pair."""
        for _ in range(READINGS_PER_WINDOW):
            now_ns = self._round()
        self._calibrator.close(now_ns)
        self._next_round_ns = now_ns + _ROUND_EVERY_NS

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC_RAW, mapped from a reading of CLOCK_MONOTONIC."""
        return self._calibrator.calibration.raw_of(self._monotonic())

    def sleep_until(self, deadline_raw_ns: int) -> None:
        """Sleep until a deadline on RAW. The kernel only sleeps on MONOTONIC: it is mapped."""
        clock.sleep_until(self._calibrator.calibration.mono_of(deadline_raw_ns))

    def observe_sleep(self, deadline_mono_ns: int) -> None:
        """A sleep that was begun before its deadline is over now: the kernel's own word, against
        what a reading shows."""
        self._calibrator.add_sleep(deadline_mono_ns, self._monotonic())

    def step(self, budget_ns: int) -> bool:
        """Take the readings that are due, within ``budget_ns``; True: ``calibration()`` is new.

        Costs two readings of the clock when none is due. One round took as long as it took last
        time; where the budget is smaller than that, none is taken.
        """
        now_ns = self._monotonic()
        end_ns = now_ns + budget_ns
        if now_ns - self._next_round_ns > WINDOW_NS:  # nobody called for a window: no catching up
            self._next_round_ns = now_ns
        while self._next_round_ns <= now_ns and now_ns + self._round_ns <= end_ns:
            self._next_round_ns += _ROUND_EVERY_NS
            now_ns = self._round()
        return self._calibrator.advance(now_ns)

    def calibration(self) -> Calibration:
        """The newest calibration."""
        return self._calibrator.calibration

    def _round(self) -> int:
        """Every reference once, each between two monotonic readings; the time afterwards."""
        readings = []
        start = before = self._monotonic()
        for name, read in self._references:
            value = read()
            after = self._monotonic()
            readings.append((name, value, before, after))
            before = after
        for name, value, opened, closed in readings:
            middle = (opened + closed) // 2
            if self._calibrator.add(name, Reading(middle, value - middle, closed - opened)):
                self.steps_seen += 1
        end = self._monotonic()
        # A preempted round must not make every later one look too dear for its budget.
        self._round_ns = min(end - start, 2 * self._round_ns + 1_000)
        return end
