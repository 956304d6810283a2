"""Results as text: Markdown, aligned so that a terminal shows it as well."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from voiceroom_driftlab.experiments.result import Cell, Result, Table

_WIDTH: Final = 100


def text(result: Result) -> str:
    """What the article claims, what holds, and the tables."""
    parts = [
        f"{result.name}: {result.sections} of the article",
        _paragraph("The article says", result.says),
        _paragraph("What holds", result.holds),
        *(markdown(one) for one in result.tables),
    ]
    return "\n\n".join(parts) + "\n"


def _paragraph(head: str, body: str) -> str:
    return textwrap.fill(f"{head}: {body}", _WIDTH, break_on_hyphens=False)


def markdown(table: Table) -> str:
    """Its title and its rows."""
    cells = [[str(cell) for cell in row] for row in (table.header, *table.rows)]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(table.header))]
    lines = [_row(row, widths, table.rows) for row in cells]
    lines.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join([table.title, "", *lines])


def _row(row: Sequence[str], widths: Sequence[int], rows: Sequence[Sequence[Cell]]) -> str:
    """Numbers to the right, words to the left, by what the column holds."""
    numeric = [all(isinstance(row[i], (int, float)) for row in rows) for i in range(len(row))]
    aligned = (
        cell.rjust(width) if number else cell.ljust(width)
        for cell, width, number in zip(row, widths, numeric, strict=True)
    )
    return "| " + " | ".join(aligned) + " |"
