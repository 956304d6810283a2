"""What the ticks of a media process say, told to its breaker and its ladder. Sans-IO, O(1) a tick.

How much time has passed is what the kernel's sleeps took: each tick's deadline was slept for on the
kernel's own clock. So much has passed between two deadlines, whatever was read off a clock since.
"""

from __future__ import annotations

from voiceroom_mixer.core.defend.alarms import AlarmRow
from voiceroom_mixer.core.defend.breaker import Breaker, TimingBreaker
from voiceroom_mixer.core.defend.ladder import Ladder
from voiceroom_mixer.core.timing.detect.observations import Tick


class Guard:
    """One media process's breaker and ladder, fed by its ticks."""

    def __init__(self) -> None:
        self.breaker = TimingBreaker()
        self.ladder = Ladder()
        self._alarms = AlarmRow()
        self._waited_for_ns: int | None = None
        self._before = Breaker.CLOSED
        self._is_harmless = False
        """The breaker opened at a step that took no time from anybody."""

    def tick(
        self, tick: Tick, *, step_ns: int, contradicts: bool, alarmed: bool = False
    ) -> tuple[Breaker, int]:
        """One tick has been mixed. ``step_ns``: a clock step that was seen in it; ``contradicts``:
        its clocks do not agree; ``alarmed``: the scheduler's alarm came since the last one. Gives
        the breaker's state and the ladder's level."""
        # What the first tick is late by was lost before there was this process.
        missed = 0 if self._waited_for_ns is None else tick.late_ns // tick.frame_ns
        truth_ns = self._slept(tick)
        breaker = self.breaker.tick(
            bad=contradicts or missed > 0, truth_ns=truth_ns, step_ns=step_ns, missed=missed
        )
        work = max(tick.work_ns / tick.frame_ns, 1.0 if missed else 0.0)
        if breaker is not self._before:
            self._before = breaker
            opened = self.breaker.opened
            self._is_harmless = opened is not None and opened.cause == "step" and not contradicts
        self.ladder.tick(work=work, breaker=self._felt(breaker), truth_ns=truth_ns)
        if self._alarms.tick(alarmed=alarmed, truth_ns=truth_ns):
            self.ladder.push()
        return breaker, self.ladder.level

    def _felt(self, breaker: Breaker) -> Breaker:
        """Watchful and no more where readings stepped and ticks did not."""
        return Breaker.HALF_OPEN if breaker is Breaker.OPEN and self._is_harmless else breaker

    def _slept(self, tick: Tick) -> int:
        """Since the tick before."""
        before, self._waited_for_ns = self._waited_for_ns, tick.waited_for_ns
        return tick.frame_ns if before is None else tick.waited_for_ns - before
