"""The event loop of control: blocked, held up by the GIL, or not let run at all."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.observations import Accounts, LoopLook
from voiceroom_mixer.core.timing.detect.stalls import Growth, Stall, attribute
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Kind, ms

BEAT_NS: Final = 50 * NS_PER_MS
"""Between two beats of the loop."""
WITNESS_NS: Final = 100 * NS_PER_MS
"""Between two of the witness."""


class Pulse:
    """For how long a word of another process has not changed, by what was mixed meanwhile: neither
    a clock that jumps nor a stop of the one who looks makes the other one late."""

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._word = 0
        self._still_ns = 0

    def overdue_ns(self, word: int, passed_ns: int) -> int:
        """``passed_ns``: mixed since the last call."""
        if word != self._word:
            self._word, self._still_ns = word, 0
        else:
            self._still_ns += passed_ns
        return max(0, self._still_ns - self._period_ns)


class LoopWatch:
    """Claims while the loop's heartbeat is overdue, or the witness itself was held up."""

    def __init__(self) -> None:
        self._base: Accounts | None = None
        self._told_ns = 0

    def take(self, look: LoopLook) -> Claim | None:
        """One look."""
        held_up = look.witness_late_ns >= matrix.LOOP_LAG_NS
        if look.lag_ns < matrix.LOOP_LAG_NS and not held_up:
            if look.lag_ns == 0:
                self._base, self._told_ns = look.accounts, 0
            return None
        base, lost_ns = self._base, max(look.lag_ns, look.witness_late_ns)
        if base is None:
            return None
        kind, growth = self._kind(look, base, lost_ns)
        harm_ns, self._told_ns = max(0, lost_ns - self._told_ns), lost_ns
        if held_up and look.lag_ns < matrix.LOOP_LAG_NS:
            self._base, self._told_ns = look.accounts, 0
        evidence = (
            ms("control's heartbeat overdue", look.lag_ns),
            ms("witness late", look.witness_late_ns),
            ms("CPU of the loop", growth.own_cpu_ns),
            ms("other threads' CPU", growth.others_cpu_ns),
            ms("run-queue delay", growth.run_delay_ns),
            ms("throttled", growth.throttled_ns),
        )
        return Claim(kind, look.at_ns - lost_ns, harm_ns, evidence)

    def _kind(self, look: LoopLook, base: Accounts, lost_ns: int) -> tuple[Kind, Growth]:
        growth = Growth.between(base, look.accounts)
        # A loop sleeps most of the time: its switches say nothing.
        growth = growth._replace(slices=0)
        shares = attribute(Stall(0, lost_ns, stopped=look.stopped), growth)
        # A callback that computes blocks the loop as one that waits does.
        shares["loop-block"] = shares.get("loop-block", 0) + shares.pop("overload")
        kind = max(shares, key=lambda name: shares[name])
        held = kind == "loop-block" and look.witness_late_ns >= matrix.WITNESS_LATE_NS
        return ("gil" if held else kind), growth  # not even the witness could run
