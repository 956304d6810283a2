"""A panel on axes, one function for each kind of picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, Formatter, FuncFormatter, PercentFormatter

from boardpictures.asking import Line, Span
from voiceroom_dashboards.boards.model import Kind, Panel

COLOURS: Final[Mapping[str, str]] = {
    "green": "#2e8b57",
    "yellow": "#d4ac0d",
    "orange": "#e67e22",
    "red": "#c0392b",
}
MOST_NAMES: Final = 8
"""In a legend; more would hide the picture."""
MOST_ROWS: Final = 6
_LEAST: Final = 1e-6
_SMALL: Final = "x-small"


def draw(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """``lines`` of all its queries; a panel without any says so."""
    axes.set_title(panel.title, fontsize="small", loc="left")
    axes.tick_params(labelsize=_SMALL)
    if not lines:
        axes.text(0.5, 0.5, "no data", transform=axes.transAxes, ha="center", color="gray")
        axes.set_axis_off()
        return
    _KINDS[panel.kind](axes, panel, lines, span)


def is_instant(kind: Kind) -> bool:
    """It shows what is at the end, and not how it came."""
    return kind in ("table", "facts", "number")


def formatter(unit: str) -> Formatter:
    """Of an axis."""
    if unit == "percentunit":
        return PercentFormatter(1.0)
    if unit == "s":
        return EngFormatter(unit="s", sep="\N{THIN SPACE}")
    return FuncFormatter(lambda value, _: f"{value:g}")


def _lines(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    right = [line for line in lines if line.right]
    left = [line for line in lines if not line.right]
    drawn = _plot(axes, left, panel.unit, span, "-")
    _limits(axes, panel, left)
    if right:
        drawn += _plot(axes.twinx(), right, right[0].right, span, ":")
    axes.grid(visible=True, alpha=0.25)
    axes.legend(fontsize="xx-small", loc="upper left", handles=drawn[:MOST_NAMES])
    _in_time(axes, span)


def _plot(axes: Axes, lines: Sequence[Line], unit: str, span: Span, style: str) -> list[Line2D]:
    drawn: list[Line2D] = []
    for line in lines:
        moments = [at_s - span.begin_s for at_s in line.at_s]
        drawn += axes.plot(moments, line.values, style, linewidth=1.1, label=line.name)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.yaxis.set_major_formatter(formatter(unit))
    axes.tick_params(labelsize=_SMALL)
    return drawn


def _limits(axes: Axes, panel: Panel, lines: Sequence[Line]) -> None:
    """Steps of colour that are not far above all that is shown."""
    top = max((value for line in lines for value in line.values if math.isfinite(value)), default=0)
    for at, colour in panel.steps:
        if at <= 1.5 * top:
            axes.axhline(at, color=COLOURS[colour], linestyle="--", linewidth=0.8)


def _rows(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """A heatmap with a row for each series."""
    for number, line in enumerate(lines):
        heat = [max(value, _LEAST) for value in line.values]
        edges = [at_s - span.begin_s for at_s in (*line.at_s, line.at_s[-1] + span.step_s)]
        norm = LogNorm(vmin=1e-4, vmax=0.1)
        axes.pcolormesh(edges, [number, number + 0.9], [heat], cmap="Oranges", norm=norm)
    axes.set_yticks([number + 0.45 for number in range(len(lines))], [each.name for each in lines])
    _in_time(axes, span)


def _buckets(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """A heatmap of a histogram, whose buckets count all that is less."""
    ordered = sorted(lines, key=lambda line: float(line.labels["le"]))
    below = dict.fromkeys(ordered[0].at_s, 0.0)
    for number, line in enumerate(ordered):
        heat = [
            max(value - below.get(at_s, 0.0), 0.0)
            for at_s, value in zip(line.at_s, line.values, strict=True)
        ]
        below = dict(zip(line.at_s, line.values, strict=True))
        edges = [at_s - span.begin_s for at_s in (*line.at_s, line.at_s[-1] + span.step_s)]
        shown = [[math.sqrt(value) for value in heat]]
        axes.pcolormesh(edges, [number, number + 1], shown, cmap="Oranges", vmin=0, vmax=60)
    edges_s = [float(line.labels["le"]) for line in ordered]
    names = [EngFormatter(unit="s")(at) if math.isfinite(at) else "more" for at in edges_s]
    axes.set_yticks([number + 0.5 for number in range(len(ordered))], names)
    axes.tick_params(axis="y", labelsize="xx-small")
    _in_time(axes, span)


def _states(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    """A bar for each series, in the colour of what its value means."""
    for number, line in enumerate(lines):
        for begin_s, end_s, value in _runs(line, span.step_s):
            word, colour = panel.words.get(int(value), (f"{value:g}", "yellow"))
            left = begin_s - span.begin_s
            axes.barh(number, end_s - begin_s, 0.7, left, color=COLOURS[colour], alpha=0.75)
            if end_s - begin_s > (span.end_s - span.begin_s) / 12:
                middle = left + (end_s - begin_s) / 2
                axes.text(middle, number, word, ha="center", va="center", fontsize=_SMALL)
    axes.set_yticks(range(len(lines)), [line.name for line in lines])
    _in_time(axes, span)


def _runs(line: Line, step_s: float) -> list[tuple[float, float, float]]:
    """Begin, end and value of each stretch without a change."""
    found: list[tuple[float, float, float]] = []
    for at_s, value in zip(line.at_s, line.values, strict=True):
        if found and found[-1][2] == value and at_s - found[-1][1] < 1.5 * step_s:
            found[-1] = (found[-1][0], at_s + step_s, value)
        else:
            found.append((at_s, at_s + step_s, value))
    return found


def _number(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    form = {"percentunit": "{:.2%}", "s": "{:.3g} s"}.get(panel.unit, "{:.4g}")
    _text(axes, [f"{line.name}: {form.format(line.values[-1])}" for line in lines])


def _facts(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    _text(axes, [line.name for line in lines])


def _table(axes: Axes, panel: Panel, lines: Sequence[Line], span: Span) -> None:
    _text(axes, [f"{line.name}: {line.values[-1]:.3g}" for line in lines])


def _text(axes: Axes, rows: Sequence[str]) -> None:
    for number, row in enumerate(rows[:MOST_ROWS]):
        at = 0.9 - number / MOST_ROWS
        axes.text(0.01, at, row, transform=axes.transAxes, fontsize=_SMALL, va="top", wrap=True)
    axes.set_axis_off()


def _in_time(axes: Axes, span: Span) -> None:
    axes.set_xlim(0, span.end_s - span.begin_s)


_KINDS: Final[Mapping[Kind, Callable[[Axes, Panel, Sequence[Line], Span], None]]] = {
    "lines": _lines,
    "number": _number,
    "buckets": _buckets,
    "rows": _rows,
    "states": _states,
    "table": _table,
    "facts": _facts,
}
