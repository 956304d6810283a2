"""All detectors of one process behind one door. Time is an argument and, inside, a count of ticks.

Cost with nothing wrong: a few microseconds a tick.
"""

from __future__ import annotations

from typing import Any, Final

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.clocks import ClockWatch
from voiceroom_mixer.core.timing.detect.judge import Judge
from voiceroom_mixer.core.timing.detect.loop import LoopWatch
from voiceroom_mixer.core.timing.detect.observations import LoopLook, SenderPoint, Tick
from voiceroom_mixer.core.timing.detect.senders import SenderWatch
from voiceroom_mixer.core.timing.detect.stalls import TickWatch
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Verdict, ms

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
        """Size of the step of a clock that the newest tick shows; 0 = none."""
        self.contradicts = False
        """In the newest tick the clocks do not agree with the kernel or with each other."""
        self._mixed_ns = 0

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
        step = self._clocks(tick, now_ns)
        if step is not None:
            judge.claim(step, now_ns)
        self.contradicts = step is not None and step.kind != "freeze"
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
            self._note_step(claim)
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

    def _ahead(self, tick: Tick) -> int:
        """What of this lateness is only that readings have gone ahead of what sleeps go by."""
        ahead_ns = self.clocks.shift_ns
        late = tick.late_ns >= ahead_ns * SHIFT_NEAR
        return ahead_ns if ahead_ns >= matrix.NOTICE_NS and late else 0

    def _switched(self, clocksource: str) -> None:
        self.clocksource_changes += bool(self.clocksource)
        self.clocksource = clocksource

    def report(self) -> dict[str, Any]:
        """For the status report: the verdict, and counts since the start."""
        verdict = self.verdict
        said = verdict.to_dict() if verdict else {"verdict": None, "evidence": [], "also": []}
        return said | {
            "raised": dict(self.judge.raised),
            "recoveries": dict(self.judge.ended),
            "clocksource": self.clocksource,
            "clocksourceChanges": self.clocksource_changes,
            "sendersPpm": round(self.senders.ppm, 1),
        }


class LoopDetector:
    """The same for control's event loop: fed by its witness thread, read by anyone."""

    def __init__(self) -> None:
        self._watch = LoopWatch()
        self.judge = Judge()

    @property
    def verdict(self) -> Verdict | None:
        """What is wrong now; None: the loop is on time."""
        return self.judge.verdict

    def look(self, look: LoopLook) -> Verdict | None:
        """One look of the witness."""
        claim = self._watch.take(look)
        if claim is not None:
            self.judge.claim(claim, look.at_ns)
        self.judge.settle(look.at_ns)
        return self.judge.verdict
