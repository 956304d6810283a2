"""All detectors of one process behind one door. Time is an argument and, inside, a count of ticks.

Cost with nothing wrong: a few microseconds a tick.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.clocks import ClockWatch
from voiceroom_mixer.core.timing.detect.judge import Judge
from voiceroom_mixer.core.timing.detect.loop import BEAT_NS, WITNESS_NS, LoopWatch, Pulse
from voiceroom_mixer.core.timing.detect.observations import Accounts, LoopLook, SenderPoint, Tick
from voiceroom_mixer.core.timing.detect.senders import SenderWatch
from voiceroom_mixer.core.timing.detect.stalls import TickWatch
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Verdict, ms

Books = tuple[Accounts, bool]
"""Of the loop's thread, and whether a signal has stopped its process."""
SHIFT_NEAR: Final = 0.7
"""Later than this share of what the readings are ahead by: that is in the lateness."""


class Detector:
    """The watches of a media process and the judge over them."""

    def __init__(self) -> None:
        self.clocks = ClockWatch()
        self.senders = SenderWatch()
        self.ticks = TickWatch()
        self.judge = Judge()
        self.clocksource = ""
        self.clocksource_changes = 0
        """Switches of the kernel's clock source at run time: an event, not a fault."""
        self.step_ns = 0
        """Size of the step of a clock that the newest tick shows, corrected or not; 0 = none."""
        self.contradicts = False
        """In the newest tick the clocks do not agree with the kernel or with each other, and ticks
        are told by what is wrong."""
        self._mixed_ns = 0
        self._corrected_ns: int | None = None
        """What the first tick was corrected by."""
        self._corrected_since_ns = 0
        """What the newest one was, beyond that."""

    @property
    def verdict(self) -> Verdict | None:
        """What is wrong now; None: time is kept."""
        return self.judge.verdict

    def sender(self, point: SenderPoint) -> None:
        """A second of one sender's packets."""
        self.senders.add(point)

    def tick(self, tick: Tick) -> Verdict | None:
        """One tick, with the clocks as they were read after it; the verdict."""
        self._mixed_ns += tick.frame_ns
        now_ns, judge = self._mixed_ns, self.judge
        if tick.node is not None and tick.node.clocksource != self.clocksource:
            self._switched(tick.node.clocksource)
        self.step_ns = 0
        self._follow(tick.corrected_ns)
        step = self._clocks(tick, now_ns)
        if step is not None:
            judge.claim(step, now_ns)
            self._note_step(step)
        self.contradicts = step is not None and step.kind != "freeze" and not self._corrected()
        if self.contradicts:
            self.ticks.excuse(tick)
        elif (stall := self.ticks.take(tick, self._ahead(tick))) is not None:
            judge.claim(stall, now_ns)
            self._note_step(stall)
        judge.settle(now_ns)
        return judge.verdict

    def _clocks(self, tick: Tick, now_ns: int) -> Claim | None:
        """A step of the clocks, or that every sleep is still late by one; rates go to the judge."""
        clocks = self.clocks
        if tick.clocks is None:
            return None
        claim = clocks.take(tick.clocks)
        if claim is not None and claim.kind != "rate":
            return claim
        drift = claim or self.senders.judge(clocks.latest_raw_ns, tick.woke_ns, clocks.raw_ppm)
        if drift is not None:
            self.judge.claim(drift, now_ns)
        ahead_ns = self._ahead(tick)
        if ahead_ns and clocks.stepped_ns * 2 >= ahead_ns:
            late = ms("every sleep late by", ahead_ns)
            return Claim(clocks.stepped, tick.woke_ns, ahead_ns, (late,))
        return None

    def _note_step(self, claim: Claim) -> None:
        if claim.kind in ("step-one", "step-all"):
            self.step_ns = claim.harm_ns

    def _follow(self, corrected_ns: int) -> None:
        """A constant part is nobody's concern: the watch of the clocks begins at 0 as well."""
        if self._corrected_ns is None:
            self._corrected_ns = corrected_ns
        self._corrected_since_ns = corrected_ns - self._corrected_ns

    def _corrected(self) -> bool:
        """Whether the newest step was one of readings, and this tick's times are true in spite of
        it."""
        left_ns = self.clocks.shift_ns - self._corrected_since_ns
        return self.clocks.of_reading and abs(left_ns) < matrix.STEP_NS

    def _ahead(self, tick: Tick) -> int:
        """What of this lateness is only that readings have gone ahead of what sleeps go by, and
        have not been corrected."""
        ahead_ns = self.clocks.shift_ns - self._corrected_since_ns
        late = tick.late_ns >= ahead_ns * SHIFT_NEAR
        return ahead_ns if ahead_ns >= matrix.NOTICE_NS and late else 0

    def _switched(self, clocksource: str) -> None:
        self.clocksource_changes += bool(self.clocksource)
        self.clocksource = clocksource

    def report(self) -> dict[str, Any]:
        """For the status report: the verdict, and counts since the start."""
        return _said(self.verdict) | {
            "raised": dict(self.judge.raised),
            "recoveries": dict(self.judge.ended),
            "clocksource": self.clocksource,
            "clocksourceChanges": self.clocksource_changes,
            "sendersPpm": round(self.senders.ppm, 1),
        }


class LoopDetector:
    """The same for control's event loop, by its pulse as media feels it."""

    def __init__(self) -> None:
        self.judge = Judge()
        self._mixed_ns = 0
        self._told_ns = 0
        self.begin_anew()

    def begin_anew(self) -> None:
        """Another control process, or none: it is late with nothing until it has beaten."""
        self._watch = LoopWatch()
        self._loop, self._witness = Pulse(BEAT_NS), Pulse(WITNESS_NS)
        self._beat_ns = 0

    @property
    def verdict(self) -> Verdict | None:
        """What is wrong now; None: the loop is on time."""
        return self.judge.verdict

    def feel(
        self, beat_ns: int, witness_ns: int, passed_ns: int, read: Callable[[], Books | None]
    ) -> Verdict | None:
        """Once a tick: control's two words, what was mixed since the last one, and how to come by
        the books of the loop's thread (None: there is no such process)."""
        self._mixed_ns += passed_ns
        lag_ns = self._loop.overdue_ns(beat_ns, passed_ns)
        late_ns = self._witness.overdue_ns(witness_ns, passed_ns)
        beats, self._beat_ns = beat_ns != self._beat_ns, beat_ns
        if beat_ns and (beats or self._is_due(lag_ns)) and (books := read()) is not None:
            self._told_ns = self._mixed_ns
            at_ns = beat_ns + (BEAT_NS if lag_ns else 0) + lag_ns
            self._look(LoopLook(at_ns, lag_ns, late_ns, *books))
        self.judge.settle(self._mixed_ns)
        return self.judge.verdict

    def _is_due(self, lag_ns: int) -> bool:
        """A loop that stands still is looked at again now and then only."""
        return lag_ns >= matrix.LOOP_LAG_NS and self._mixed_ns - self._told_ns >= BEAT_NS

    def _look(self, look: LoopLook) -> None:
        claim = self._watch.take(look)
        if claim is not None:
            self.judge.claim(claim, self._mixed_ns)

    def report(self) -> dict[str, Any]:
        """For the status report: the verdict, and counts since the start."""
        return _said(self.verdict) | {"raised": dict(self.judge.raised)}


def _said(verdict: Verdict | None) -> dict[str, Any]:
    return verdict.to_dict() if verdict else {"verdict": None, "evidence": [], "also": []}
