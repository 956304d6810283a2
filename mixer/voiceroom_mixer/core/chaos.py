"""Grey faults that are injected on purpose: what they do to clock readings, and when they end.

A value, and time is an argument: always the kernel's own CLOCK_MONOTONIC (``true_ns``), which no
injection touches. So a fault cannot lengthen itself by what it does to the clocks.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final, Literal, Self

from voiceroom_api.units import NS_PER_S

Kind = Literal["step", "saw", "rate", "freeze"]
KINDS: Final[tuple[Kind, ...]] = ("step", "saw", "rate", "freeze")
ClockName = Literal["monotonic", "raw", "boottime"]
CLOCKS: Final[tuple[ClockName, ...]] = ("monotonic", "raw", "boottime")
Target = Literal["monotonic", "raw", "boottime", "all"]
TARGETS: Final[tuple[Target, ...]] = (*CLOCKS, "all")


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault from ``began_ns`` until ``until_ns``; both are true time."""

    id: str
    kind: Kind
    began_ns: int
    until_ns: int
    clock: Target = "monotonic"
    """Whose reading step, saw and rate falsify."""
    offset_ns: int = 0
    """step: the reading is ahead by so much; saw: what it climbs to in each period."""
    ppm: float = 0.0
    """rate: how much faster the reading runs."""
    stop_ns: int = 0
    """freeze: for how long the process is stopped."""
    period_ns: int = 0
    """saw: of the teeth; freeze: from one stop to the next."""
    by: str = ""
    """Who asked."""

    def runs(self, true_ns: int) -> bool:
        """Whether it is in force."""
        return self.began_ns <= true_ns < self.until_ns

    def moves(self, clock: ClockName) -> bool:
        """Whether it falsifies readings of that clock."""
        return self.kind != "freeze" and self.clock in (clock, "all")

    def ahead_ns(self, true_ns: int) -> int:
        """How far the readings that it falsifies are ahead of the truth; 0 outside its time, so
        that they are right again at the deadline, whoever still has them."""
        if not self.runs(true_ns):
            return 0
        passed_ns = true_ns - self.began_ns
        if self.kind == "step":
            return self.offset_ns
        if self.kind == "saw":
            return self.offset_ns * (passed_ns % self.period_ns) // self.period_ns
        return round(passed_ns * self.ppm / 1e6) if self.kind == "rate" else 0

    def stops_until(self, true_ns: int) -> int:
        """How many stops have begun by then: one at the end of each period."""
        return (true_ns - self.began_ns) // self.period_ns if self.kind == "freeze" else 0

    def left_ns(self, true_ns: int) -> int:
        """Until it ends; 0 when it has."""
        return max(0, self.until_ns - true_ns) if self.runs(true_ns) else 0

    def to_bytes(self) -> bytes:
        """For its row in shared memory."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """Of a row that ``to_bytes`` made."""
        return cls(**json.loads(raw))


def seconds(ns: int) -> float:
    """For people and JSON."""
    return round(ns / NS_PER_S, 3)
