"""What alerts and boards read, computed once."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.rules.model import Group, Record
from voiceroom_dashboards.rules.promql import EVALUATION_S, POD, WINDOW, quantile, rate

LATE_P99: Final = f"voiceroom:tick_lateness_seconds:p99_{WINDOW}"
LATE_P50: Final = f"voiceroom:tick_lateness_seconds:p50_{WINDOW}"
LOST: Final = f"voiceroom:ticks_lost:ratio_rate{WINDOW}"
WORK_P99: Final = f"voiceroom:tick_work_seconds:p99_{WINDOW}"
REFILLS: Final = f"voiceroom:jb_refill_timeouts_per_leg:rate{WINDOW}"

_LATE: Final = "voiceroom_tick_lateness_seconds"
_SIDE: Final = '{side="late"}'


def _lost() -> str:
    """The share that ``thresholds.LOST_SHARE`` bounds: skipped, or a frame late."""
    lost = rate("voiceroom_ticks_skipped_total"), rate("voiceroom_ticks_late_total")
    due = rate("voiceroom_ticks_total"), rate("voiceroom_ticks_skipped_total")
    return f"({' + '.join(lost)}) / ({' + '.join(due)})"


def _refills() -> str:
    legs = f"clamp_min(sum by ({POD}) (voiceroom_legs), 1)"
    return f"{rate('voiceroom_jb_refill_timeouts_total')} / {legs}"


RECORDING: Final = Group(
    "voiceroom.recording",
    (
        Record(LATE_P99, quantile(0.99, _LATE, _SIDE), "Lateness of ticks, p99."),
        Record(LATE_P50, quantile(0.5, _LATE, _SIDE), "Lateness of ticks, the median."),
        Record(LOST, _lost(), "Share of ticks that were skipped, or late by a frame or more."),
        Record(WORK_P99, quantile(0.99, "voiceroom_tick_work_seconds"), "Work of a tick, p99."),
        Record(REFILLS, _refills(), "Jitter buffers that ran dry, per leg and second."),
    ),
    EVALUATION_S,
)
