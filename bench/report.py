"""Rows of the table, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

Verdict = Literal["met", "missed", "inconclusive", "not measured"]
RESULTS: Final = Path(__file__).resolve().parent / "RESULTS.md"
OUT: Final = Path(__file__).resolve().parent / "out"
_HEAD: Final = ("figure", "ours", "peer", "ours : peer", "target", "verdict")


@dataclass(frozen=True, slots=True)
class Target:
    """``at_most`` or ``at_least``; one of the two."""

    at_most: float | None = None
    at_least: float | None = None
    unit: str = "x"

    def __str__(self) -> str:
        sign, value = (">=", self.at_least) if self.at_most is None else ("<=", self.at_most)
        return f"{sign} {value:g} {self.unit}"

    def judge(self, value: float, *, conclusive: bool = True) -> Verdict:
        """A window with much stolen time proves nothing against us, and nothing for us."""
        if not conclusive:
            return "inconclusive"
        high = self.at_most is None or value <= self.at_most
        low = self.at_least is None or value >= self.at_least
        return "met" if high and low else "missed"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its target."""

    figure: str
    ours: str
    peer: str
    ratio: float | None
    target: str
    verdict: Verdict
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return (self.figure, self.ours, self.peer, ratio, self.target, self.verdict)


def not_measured(figure: str, target: str, why: str) -> Row:
    """A row that stands in the table all the same."""
    return Row(figure, "", "", None, target, "not measured", why)


def text_table(rows: Sequence[Row]) -> str:
    """For a terminal."""
    lines = [_HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEAD))]
    padded = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    padded.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(padded)


def markdown(rows: Sequence[Row], facts: Mapping[str, str], *, command: str, when: str) -> str:
    """The whole of RESULTS.md; its notes name the rows by number."""
    lines = ["# Results of the bench", "", f"`{command}`, {when}.", ""]
    lines += [f"- {label}: {value}" for label, value in facts.items()]
    lines += ["", f"| # | {' | '.join(_HEAD)} |", "|" + " --- |" * (len(_HEAD) + 1)]
    for i, row in enumerate(rows, 1):
        lines.append(f"| {i} | {' | '.join(row.cells())} |")
    notes = [f"{i}. {row.note}" for i, row in enumerate(rows, 1) if row.note]
    if notes:
        lines += ["", "Notes, by row:", "", *notes]
    return "\n".join([*lines, ""])


def write_json(
    path: Path, rows: Sequence[Row], facts: Mapping[str, str], windows: Mapping[str, Any]
) -> None:
    """Everything that was measured, each window with what the generator saw."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {"facts": dict(facts), "rows": [asdict(row) for row in rows], "windows": dict(windows)}
    path.write_text(json.dumps(whole, indent=1) + "\n")
