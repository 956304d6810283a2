"""The recent ticks in windows of one second, as the operator judges them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.core.timing.schedule import SLOT_NS

WINDOW_NS: Final = NS_PER_S
SHOWN: Final = 10
"""The newest complete windows."""
_FIELD: Final = {name: i for i, name in enumerate(stats.TICK_FIELDS)}
_WORST: Final = ("latenessP50Ms", "latenessP99Ms", "latenessMaxMs", "workP99Ms", "workMaxMs")
_SUMMED: Final = ("ticks", "late", "skipped")
Window = dict[str, Any]


def windows(
    ticks: NDArray[np.int64], origin_ns: int, frame_ns: int, now_ns: int, shown: int = SHOWN
) -> list[Window]:
    """Of one media process, oldest first; seconds without a tick show as such.

    ``ticks``: rows of its ring, shape (n, TICK_WORDS), in any order. ``window`` counts seconds of
    CLOCK_MONOTONIC, so the windows of several processes of a machine are the same. A tick is
    ``late`` when it came a frame (``frame_ns``) or more behind.
    """
    newest = now_ns // WINDOW_NS - 1
    due = (origin_ns + ticks[:, _FIELD["slot"]] * SLOT_NS) // WINDOW_NS
    return [
        _window(int(second), ticks[due == second], frame_ns)
        for second in range(newest - shown + 1, newest + 1)
        if second * WINDOW_NS >= origin_ns
    ]


def _window(second: int, ticks: NDArray[np.int64], frame_ns: int) -> Window:
    late, work = np.sort(ticks[:, _FIELD["late_ns"]]), np.sort(ticks[:, _FIELD["work_ns"]])
    return {
        "window": second,
        "ticks": len(ticks),
        "late": int(np.count_nonzero(late >= frame_ns)),
        "skipped": int(ticks[:, _FIELD["skipped"]].sum()),
        "latenessP50Ms": _rank(late, 50),
        "latenessP99Ms": _rank(late, 99),
        "latenessMaxMs": _rank(late, 100),
        "workP99Ms": _rank(work, 99),
        "workMaxMs": _rank(work, 100),
    }


def _rank(ordered: NDArray[np.int64], percent: int) -> float:
    """Nearest rank, milliseconds; 0 without a value."""
    if len(ordered) == 0:
        return 0.0
    at = min(len(ordered) - 1, len(ordered) * percent // 100)
    return round(int(ordered[at]) / NS_PER_MS, 3)


def worst(each: Sequence[Iterable[Window]]) -> list[Window]:
    """The pod's windows of those of its processes: the worst figure of any, counts added up."""
    merged: dict[int, Window] = {}
    for window in (window for one in each for window in one):
        found = merged.get(window["window"])
        if found is None:
            merged[window["window"]] = dict(window)
            continue
        found.update({name: max(found[name], window[name]) for name in _WORST})
        found.update({name: found[name] + window[name] for name in _SUMMED})
    return [merged[second] for second in sorted(merged)]


def work_p99_ns(ticks: NDArray[np.int64]) -> int | None:
    """Nanoseconds; None before there was a tick."""
    if len(ticks) == 0:
        return None
    ordered = np.sort(ticks[:, _FIELD["work_ns"]])
    return int(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)])
