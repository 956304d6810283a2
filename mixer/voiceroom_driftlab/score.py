"""The score: each fault injected many times, what was named for it, and how soon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Final

from voiceroom_mixer.core.timing.detect.verdicts import KINDS, Kind

NOTHING: Final = "none"
PASS: Final = 0.95
"""Precision and recall of every kind."""
MAX_TICKS: Final = 5
MAX_SECONDS: Final = 12.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One injection and what was said of it."""

    kind: Kind | None
    name: str
    strength: float
    named: Kind | None
    """The first verdict in time; None when there was none."""
    ticks: int
    """Mixed from the fault's first bad tick to the verdict."""
    seconds: float
    """From the fault to the verdict."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One kind's precision and recall, and the latency of its detection."""

    injected: int
    precision: float
    recall: float
    median_s: float
    worst_s: float
    worst_ticks: int


def confusion(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Rows: injected; columns: named."""
    names = (*KINDS, NOTHING)
    table = {row: dict.fromkeys(names, 0) for row in names}
    for outcome in outcomes:
        table[outcome.kind or NOTHING][outcome.named or NOTHING] += 1
    return table


def marks(outcomes: Sequence[Outcome]) -> dict[str, Mark]:
    """A mark for each kind that was injected."""
    table = confusion(outcomes)
    found: dict[str, Mark] = {}
    for kind in KINDS:
        injected = sum(table[kind].values())
        if not injected:
            continue
        hit = table[kind][kind]
        named = sum(row[kind] for row in table.values())
        right = [o for o in outcomes if o.kind == kind == o.named]
        seconds = [outcome.seconds for outcome in right] or [0.0]
        found[kind] = Mark(
            injected, hit / named if named else 0.0, hit / injected,
            round(median(seconds), 3), round(max(seconds), 3),
            max((outcome.ticks for outcome in right), default=0),
        )  # fmt: skip
    return found


def passed(scored: Mapping[str, Mark]) -> bool:
    """Whether every kind is precise and complete enough."""
    return all(min(mark.precision, mark.recall) >= PASS for mark in scored.values())


def as_json(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Everything, for a file."""
    scored = marks(outcomes)
    return {
        "passed": passed(scored),
        "confusion": confusion(outcomes),
        "marks": {kind: asdict(mark) for kind, mark in scored.items()},
        "missed": [asdict(o) for o in outcomes if o.named != o.kind],
    }


def as_table(outcomes: Sequence[Outcome]) -> str:
    """Markdown: the confusion matrix, then the marks."""
    table, scored = confusion(outcomes), marks(outcomes)
    used = [n for n in (*KINDS, NOTHING) if any(table[n].values())]
    columns = [n for n in (*KINDS, NOTHING) if any(row[n] for row in table.values())]
    lines = [f"| injected \\ named | {' | '.join(columns)} |", "| --- " * (len(columns) + 1) + "|"]
    for row in used:
        cells = (str(table[row][column] or "") for column in columns)
        lines.append(f"| {row} | {' | '.join(cells)} |")
    lines += ["", "| kind | injected | precision | recall | median s | worst s | worst ticks |"]
    lines.append("| --- " * 7 + "|")
    lines.extend(_mark_row(kind, mark) for kind, mark in scored.items())
    return "\n".join(lines)


def _mark_row(kind: str, mark: Mark) -> str:
    return (
        f"| {kind} | {mark.injected} | {mark.precision:.3f} | {mark.recall:.3f} | "
        f"{mark.median_s:g} | {mark.worst_s:g} | {mark.worst_ticks} |"
    )
