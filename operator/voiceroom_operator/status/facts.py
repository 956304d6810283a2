"""What a status is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voiceroom_api import names

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

    def fault(self) -> str:
        """What is wrong, by whoever says so."""
        return self.verdict or self.suspicion


@dataclass(frozen=True, slots=True)
class Remedy:
    """Whether a fault of the timer would be remedied."""

    blocked: bool = False
    reason: str = names.NOT_BLOCKED
    message: str = ""
