"""Lateness and work of the recent ticks, from the ring that media writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.export.defences import pressure
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.edge.shm import Segment

WINDOW_NS: Final = 30 * NS_PER_S
SLOT_NS: Final = 10 * NS_PER_MS
_FIELD: Final = {name: i for i, name in enumerate(stats.TICK_FIELDS)}


def recent_ticks(segment: Segment) -> NDArray[np.int64]:
    """Rows of the ring of the last 30 s, shape (ticks, TICK_WORDS), in no particular order."""
    used = min(counter(segment, "ticks") + 1, layout.TICK_RING)
    rows = segment.ticks[:used]
    slots = rows[:, _FIELD["slot"]]
    newest = int(slots.max(initial=0))
    return rows[(slots > newest - WINDOW_NS // SLOT_NS) & (slots > 0)]


def counter(segment: Segment, name: str) -> int:
    """One of media's counters."""
    return int(segment.counters[stats.INDEX[name]])


def tick_figures(segment: Segment) -> dict[str, Any]:
    """Totals since the start, milliseconds over the last 30 s, and what is done about them."""
    ticks = recent_ticks(segment)
    return {
        "total": counter(segment, "ticks"),
        "late": counter(segment, "ticks_late"),
        "skipped": counter(segment, "ticks_skipped"),
        "latenessMs": _quantiles(ticks, "late_ns"),
        "workMs": _quantiles(ticks, "work_ns"),
        **pressure([segment]),
    }


def _quantiles(ticks: NDArray[np.int64], field: str) -> dict[str, float]:
    if len(ticks) == 0:
        return {"p50": 0.0, "p99": 0.0, "max": 0.0}
    # Nearest rank by hand: np.quantile imports numpy.ma at its first call, 200 ms of a still loop.
    ordered = np.sort(ticks[:, _FIELD[field]])
    ranks = {"p50": len(ordered) // 2, "p99": len(ordered) * 99 // 100, "max": -1}
    return {name: round(int(ordered[rank]) / NS_PER_MS, 3) for name, rank in ranks.items()}


def worst_figures(segments: Sequence[Segment]) -> dict[str, Any]:
    """Of several media processes: totals added up, and the one with the greatest p99 lateness."""
    each = [tick_figures(segment) for segment in segments]
    worst = max(each, key=_p99_lateness)
    sums = {name: sum(one[name] for one in each) for name in ("total", "late", "skipped")}
    return worst | sums | pressure(segments)


def _p99_lateness(figures: dict[str, Any]) -> float:
    return float(figures["latenessMs"]["p99"])
