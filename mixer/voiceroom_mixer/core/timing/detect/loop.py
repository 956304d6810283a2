"""The event loop of control: blocked, held up by the GIL, or not let run at all."""

from __future__ import annotations

from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.observations import Accounts, LoopLook
from voiceroom_mixer.core.timing.detect.stalls import Growth, Stall, attribute
from voiceroom_mixer.core.timing.detect.verdicts import Claim, Kind, ms


class LoopWatch:
    """Claims while the loop's heartbeat is overdue, or the witness itself was held up."""

    def __init__(self) -> None:
        self._base: Accounts | None = None
        self._told_ns = 0

    def take(self, look: LoopLook) -> Claim | None:
        """One look of the witness."""
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
            ms("heartbeat overdue", look.lag_ns),
            ms("witness late", look.witness_late_ns),
            ms("CPU of the loop", growth.own_cpu_ns),
            ms("other threads' CPU", growth.others_cpu_ns),
            ms("run-queue delay", growth.run_delay_ns),
            ms("throttled", growth.throttled_ns),
        )
        return Claim(kind, look.at_ns - lost_ns, harm_ns, evidence)

    def _kind(self, look: LoopLook, base: Accounts, lost_ns: int) -> tuple[Kind, Growth]:
        witnessed = look.witness_late_ns < matrix.WITNESS_LATE_NS
        growth = Growth.between(base, look.accounts)
        # The witness sleeps most of the time: its switches say nothing of the loop's.
        growth = growth._replace(slices=0)
        stall = Stall(0, lost_ns, stopped=not witnessed)
        shares = attribute(stall, growth)
        # A callback that computes blocks the loop as one that waits does.
        shares["loop-block"] = shares.get("loop-block", 0) + shares.pop("overload")
        if not witnessed and shares["loop-block"] > lost_ns // 2:
            return "gil", growth  # own CPU, and not even the witness could run
        return max(shares, key=lambda name: shares[name]), growth
