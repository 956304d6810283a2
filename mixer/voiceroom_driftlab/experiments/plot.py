"""Charts as one picture, small enough for a page of the docs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from voiceroom_driftlab.experiments.result import Chart, Result

_WIDTH_IN: Final = 7.2
_CHART_HEIGHT_IN: Final = 2.7
_DPI: Final = 90

mpl.use("Agg")


def draw(result: Result, path: Path) -> None:
    """Its charts below each other. Raises ``ValueError`` where it has none."""
    if not result.charts:
        raise ValueError("there is nothing to draw")
    figure = Figure((_WIDTH_IN, _CHART_HEIGHT_IN * len(result.charts)), layout="constrained")
    for axes, chart in zip(
        figure.subplots(len(result.charts), squeeze=False)[:, 0], result.charts, strict=True
    ):
        _chart(axes, chart)
    figure.savefig(path, dpi=_DPI)


def _chart(axes: Axes, chart: Chart) -> None:
    style = {"marker": ".", "linestyle": "none"} if chart.points else {"linewidth": 1.2}
    for name, points in chart.lines.items():
        axes.plot([x for x, _ in points], [y for _, y in points], label=name, **style)
    axes.set_title(chart.title, fontsize=9)
    axes.set_xlabel(chart.x, fontsize=8)
    axes.set_ylabel(chart.y, fontsize=8)
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, alpha=0.3)
    if chart.log_y:
        axes.set_yscale("log")
    if chart.x_names:
        axes.set_xticks(range(len(chart.x_names)), chart.x_names, rotation=30, ha="right")
    if len(chart.lines) > 1:
        axes.legend(fontsize=7)
