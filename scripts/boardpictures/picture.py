"""A whole picture: some panels of a board, below each other in two columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from boardpictures import panels
from boardpictures.asking import Line, Prometheus, Span
from voiceroom_dashboards.boards.model import Board, Mark, Panel, Query

COLUMNS = 2
PANEL_INCHES = (5.4, 2.1)
DOTS_PER_INCH = 80


def chosen(board: Board, titles: Sequence[str]) -> list[Panel]:
    """Panels by title, in that order; none named = all. Raises: ValueError for one it has not."""
    there = {panel.title: panel for panel in board.panels()}
    unknown = [title for title in titles if title not in there]
    if unknown:
        raise ValueError(f"board {board.name} has no panel {unknown[0]!r}: {', '.join(there)}")
    return [there[title] for title in titles] or list(board.panels())


def draw(
    path: Path, board: Board, shown: Sequence[Panel], prometheus: Prometheus, span: Span
) -> list[str]:
    """Write it. Titles of the panels that had no data. Raises: AskingError."""
    rows = -(-len(shown) // COLUMNS)
    width, height = PANEL_INCHES
    figure = Figure(figsize=(COLUMNS * width, rows * height + 0.4), layout="constrained")
    figure.suptitle(board.title, fontsize="medium")
    grid = figure.subplots(rows, COLUMNS, squeeze=False).flatten()
    marks = list(_marks(board, prometheus, span))
    empty = []
    for axes, panel in zip(grid, shown, strict=False):
        lines = _lines(panel, prometheus, span)
        panels.draw(axes, panel, lines, span)
        if not lines:
            empty.append(panel.title)
        elif not panels.is_instant(panel.kind):
            for mark, at_s in marks:
                axes.axvline(at_s - span.begin_s, color=panels.COLOURS[mark.colour], linewidth=1)
    for axes in grid[len(shown) :]:
        axes.set_axis_off()
    for axes in grid[max(0, len(shown) - COLUMNS) : len(shown)]:
        axes.set_xlabel("seconds", fontsize="x-small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": ""})
    return empty


def _lines(panel: Panel, prometheus: Prometheus, span: Span) -> list[Line]:
    ask = prometheus.now if panels.is_instant(panel.kind) else prometheus.lines
    found = [line for query in panel.queries for line in ask(query, span) if line.values]
    return shortened(found)


def shortened(lines: Sequence[Line]) -> list[Line]:
    """Without a namespace that all names begin with."""
    begins = {line.name.partition("/")[0] for line in lines if "/" in line.name}
    if len(begins) != 1 or not all("/" in line.name for line in lines):
        return list(lines)
    return [replace(line, name=line.name.partition("/")[2]) for line in lines]


def _marks(board: Board, prometheus: Prometheus, span: Span) -> Iterator[tuple[Mark, float]]:
    """Where each begins: a mark is as wide as its query has a series."""
    for mark in board.marks:
        for line in prometheus.lines(Query(mark.expr, mark.title), span):
            before = -span.step_s * 2
            for at_s in line.at_s:
                if at_s - before > 1.5 * span.step_s:
                    yield mark, at_s
                before = at_s
