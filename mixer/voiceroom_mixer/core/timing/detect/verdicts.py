"""Verdicts of contract §9, and what they stand on."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

Kind = Literal[
    "step-one",
    "step-all",
    "rate",
    "freeze",
    "throttle",
    "starved",
    "gc",
    "gil",
    "loop-block",
    "overload",
]
KINDS: Final[tuple[Kind, ...]] = (
    "step-one",
    "step-all",
    "rate",
    "freeze",
    "throttle",
    "starved",
    "gc",
    "gil",
    "loop-block",
    "overload",
)


class Evidence(NamedTuple):
    """One figure that a verdict stands on."""

    name: str
    value: float
    unit: Literal["ms", "ppm", "count", "share"]

    def to_dict(self) -> dict[str, Any]:
        """As in the status report."""
        return {"name": self.name, "value": round(self.value, 3), "unit": self.unit}


class Claim(NamedTuple):
    """One detector's word about the moment."""

    kind: Kind
    since_ns: int
    """Monotonic: when the fault began."""
    harm_ns: int
    """Time that the fault has cost (lateness, or the error of a clock) since the last claim."""
    evidence: tuple[Evidence, ...]


class Verdict(NamedTuple):
    """What is wrong now; the greatest of the faults where there are several."""

    kind: Kind
    since_ns: int
    """CLOCK_MONOTONIC of the beginning."""
    evidence: tuple[Evidence, ...]
    also: tuple[Kind, ...] = ()
    """Lesser faults at the same time."""

    def to_dict(self) -> dict[str, Any]:
        """As in the status report; ``sinceNs`` is CLOCK_MONOTONIC."""
        return {
            "verdict": self.kind,
            "sinceNs": self.since_ns,
            "evidence": [one.to_dict() for one in self.evidence],
            "also": list(self.also),
        }


def ms(name: str, value_ns: float) -> Evidence:
    """Evidence in milliseconds, from nanoseconds."""
    return Evidence(name, value_ns / 1e6, "ms")
