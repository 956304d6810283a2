"""What a status is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from voiceroom_api import names

LASTS_S: Final = 5.0
"""Mixers hold on to a verdict for 3 s."""
RealtimeMode = Literal["Shared", "Quota", "Exclusive", "Fifo"]


@dataclass(frozen=True, slots=True)
class Granted:
    """Whether pods have the real-time mode, as they found by trying."""

    mode: RealtimeMode
    granted: bool | None = None
    """None = no pod has said yet."""
    reason: str = names.NOT_REPORTED
    message: str = ""
    """What was refused, by what, and the remedy."""


@dataclass(frozen=True, slots=True)
class Timeliness:
    """How well pods keep time."""

    p99_ms: float | None = None
    """Tick lateness; None = not measured yet."""
    verdict: str = ""
    """Of ``names.VERDICTS``; empty = nothing is wrong."""
    since_s: float | None = None
    """Since when the verdict holds, Unix time."""
    message: str = ""
    suspicion: str = ""
    """What the operator's own look finds: a verdict, or Late or NoAnswer."""

    def lasting(self, now_s: float) -> Timeliness:
        """Without a verdict that is younger than ``LASTS_S``: what a busy node does to timers now
        and then is in metrics and in the pod's own status, and not worth a write a room."""
        if not self.verdict or self.since_s is None or now_s - self.since_s >= LASTS_S:
            return self
        return replace(self, verdict="", since_s=None, message="")

    def fault(self) -> str:
        """What is wrong, by whoever says so."""
        return self.verdict or self.suspicion


@dataclass(frozen=True, slots=True)
class Remedy:
    """Whether a fault of the timer would be remedied."""

    blocked: bool = False
    reason: str = names.NOT_BLOCKED
    message: str = ""
