"""Figures of measurements, as rows beside the targets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bench.cluster.meter import Reading
from bench.report import Row, Target

READY: Final = Target(at_most=1.0, unit="s")
SAME: Final = Target(at_most=1.0)
MEMORY: Final = Target(at_most=150.0, unit="MiB")
SHARE: Final = Target(at_most=5.0, unit="% of a core")
WRITES: Final = Target(at_most=0.1, unit="a second")
"""What stands for ~0."""


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of them do not exceed: by nearest rank, so that it is one of them
    and the 99th of a hundred is not the greatest."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def measured(figure: str, ours: str, note: str = "") -> Row:
    """Without a target."""
    return Row(figure, ours, "", None, "", "met", note)


def judged(figure: str, ours: str, value: float, target: Target, note: str = "") -> Row:
    """Beside its target."""
    return Row(figure, ours, "", None, str(target), target.judge(value), note)


def delays(figure: str, values: Sequence[float], note: str = "") -> Row:
    """apply -> Ready."""
    p50, p99 = percentile(values, 0.5), percentile(values, 0.99)
    words = f"p50 {p50:.2f} s, p99 {p99:.2f} s, slowest {max(values):.2f} s"
    return judged(figure, words, p99, READY, note)


@dataclass(frozen=True, slots=True)
class Change:
    """What one change costs beside rest."""

    calls: float
    cpu_ms: float
    rounds: float
    round_ms: float

    def __str__(self) -> str:
        parts = (
            f"{self.cpu_ms:.1f} ms CPU",
            f"{self.calls:.1f} API calls",
            f"{self.rounds:.1f} rounds of {self.round_ms:.1f} ms",
        )
        return ", ".join(parts)


def change(during: Reading, rest: Reading, changes: int) -> Change:
    """``rest`` is taken off for as long as ``during`` took."""
    scale = during.at_s / rest.at_s
    rounds = during.rounds - scale * rest.rounds
    return Change(
        calls=(during.calls - scale * rest.calls) / changes,
        cpu_ms=1e3 * (during.cpu_s - scale * rest.cpu_s) / changes,
        rounds=rounds / changes,
        round_ms=1e3 * during.round_s / during.rounds if during.rounds else 0.0,
    )


def comparison(few: Change, many: Change, rooms: tuple[int, int]) -> list[Row]:
    """A change among few rooms and among many."""
    at_few, at_many = (f"one change of a room among {count:,}" for count in rooms)
    ratio = many.cpu_ms / few.cpu_ms if few.cpu_ms > 0 else float("inf")
    judgement = SAME.judge(ratio)
    note = "the ratio is that of the CPU time to the row above"
    target = f"{SAME} of the row above"
    return [measured(at_few, str(few)), Row(at_many, str(many), "", ratio, target, judgement, note)]


def rest(reading: Reading, rss_mib: float, rooms: int) -> list[Row]:
    """The operator with nothing to do."""
    share, writes = 100 * reading.cpu_s / reading.at_s, reading.writes / reading.at_s
    at = f"operator at rest, {rooms:,} rooms"
    return [
        judged(f"{at}: memory", f"{rss_mib:.0f} MiB", rss_mib, MEMORY),
        judged(f"{at}: CPU", f"{share:.1f} % of a core", share, SHARE),
        judged(f"{at}: API writes", f"{writes:.2f} a second", writes, WRITES),
    ]
