"""Alarms that media waited for a CPU: when they are a reason to take something away. Sans-IO.

One wait of half a millisecond is heard by nobody, and rare on no busy virtual machine. Where they
come again and again the machine is about to be short of time, and ticks are not late yet: that is
when the ladder's first step, which nobody hears either, is worth most. The rule is the operator's
own (three bad seconds of five, ``spec.remediation``), as the probe tells once a second at most.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from voiceroom_api.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class AlarmLimits:
    """What a row is."""

    alarms: int = 3
    within_ns: int = 5 * NS_PER_S
    """From the first of them to the last."""


class AlarmRow:
    """One media process's alarms. O(1) a tick."""

    def __init__(self, limits: AlarmLimits | None = None) -> None:
        self.limits = limits or AlarmLimits()
        self._elapsed_ns = 0
        self._at_ns: deque[int] = deque(maxlen=self.limits.alarms)

    def tick(self, *, alarmed: bool, truth_ns: int) -> bool:
        """One tick has passed. ``truth_ns``: what kernel sleeps say has passed since the last one.
        Whether this alarm is the last of a row; each further one within the time is one again."""
        self._elapsed_ns += max(0, truth_ns)
        if not alarmed:
            return False
        self._at_ns.append(self._elapsed_ns)
        limits = self.limits
        whole = len(self._at_ns) == limits.alarms
        return whole and self._elapsed_ns - self._at_ns[0] <= limits.within_ns
