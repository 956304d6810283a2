"""Lateness of both nodes and the gateway's gaps over the time of the stall, as a PNG."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from demo.outcome import Outcome

BEFORE_S = 8.0
BIN_S = 0.1
FRAME_MS = 20.0
_BAD, _GOOD, _GAP = "#c0392b", "#2471a3", "#6c3483"


def longest(
    pauses: Iterable[tuple[float, float]], zero_s: float, until_s: float
) -> tuple[list[float], list[float]]:
    """Moments since ``zero_s`` and the longest pause in ms, one for each tenth of a second."""
    bins: dict[int, float] = {}
    for at_s, pause_ms in pauses:
        if -BEFORE_S <= at_s - zero_s <= until_s:
            number = int((at_s - zero_s) // BIN_S)
            bins[number] = max(bins.get(number, 0.0), pause_ms)
    return [number * BIN_S for number in sorted(bins)], [bins[number] for number in sorted(bins)]


def draw(
    path: Path,
    until_s: float,
    lateness_ms: Mapping[str, Mapping[int, float]],
    pauses: Sequence[tuple[float, float]],
    outcome: Outcome,
) -> None:
    """Write it. ``until_s``: the end, from the stall on."""
    zero_s = outcome.zero_s or 0.0
    figure = Figure(figsize=(9.6, 5.4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    _lateness(upper, lateness_ms, outcome)
    _gaps(lower, *longest(pauses, zero_s, until_s))
    for axes in (upper, lower):
        _moments(axes, outcome, until_s)
        axes.set_xlim(-BEFORE_S, until_s + 1)
        axes.grid(visible=True, which="major", alpha=0.25)
    upper.legend(loc="lower right", fontsize="small", ncols=2)
    lower.set_xlabel("seconds since the stall")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, metadata={"Software": ""})


def _lateness(axes: Axes, lateness_ms: Mapping[str, Mapping[int, float]], outcome: Outcome) -> None:
    zero_s = outcome.zero_s or 0.0
    for node, seconds in sorted(lateness_ms.items()):
        at = sorted(seconds)
        color = _BAD if node == outcome.node else _GOOD
        # a point in the middle of its second
        moments = [second + 0.5 - zero_s for second in at]
        late = [max(seconds[second], 0.01) for second in at]
        axes.plot(moments, late, "o-", color=color, markersize=3, label=f"pod on {node}")
    axes.set_yscale("log")
    axes.axhline(FRAME_MS, color="gray", linestyle=":", linewidth=1)
    axes.set_ylabel("tick lateness, ms (p99 of 1 s)")
    axes.set_title("A node stalls, and the room moves", fontsize="medium")


def _gaps(axes: Axes, moments: list[float], pauses_ms: list[float]) -> None:
    axes.bar(moments, pauses_ms, width=BIN_S, align="edge", color=_GAP)
    axes.axhline(FRAME_MS, color="gray", linestyle=":", linewidth=1)
    axes.set_ylabel("pause between packets\nat the gateway, ms")


def _moments(axes: Axes, outcome: Outcome, until_s: float) -> None:
    axes.axvspan(0, outcome.lifted_s or until_s, color=_BAD, alpha=0.08)
    marks = (
        ("detected", outcome.detected_s),
        ("decided", outcome.decided_s),
        ("moved", outcome.moved_s),
        ("good again", outcome.good_s),
    )
    top = axes.get_ylim()[1]
    for name, at_s in marks:
        if at_s is not None:
            axes.axvline(at_s, color="black", linewidth=0.8)
            axes.text(at_s, top, f" {name}", rotation=90, va="top", ha="right", fontsize="x-small")
