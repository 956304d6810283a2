"""What alerts and boards read, computed once."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.rules.model import Group, Record
from voiceroom_dashboards.rules.promql import (
    EVALUATION_S,
    POD,
    POOL,
    WINDOW,
    lost_ratio,
    of_leader,
    quantile,
    rate,
)

LATE_P99: Final = f"voiceroom:tick_lateness_seconds:p99_{WINDOW}"
LATE_P50: Final = f"voiceroom:tick_lateness_seconds:p50_{WINDOW}"
LIMIT: Final = "voiceroom_pool:tick_lateness_limit_seconds:leader"
LOST: Final = f"voiceroom:ticks_lost:ratio_rate{WINDOW}"
_SETTLED: Final = "2m"
"""Twice the window: what starts has ended, and no rate looks back at it."""
SERVED: Final = f"voiceroom:ready:max15m_before{_SETTLED}"
WORK_P99: Final = f"voiceroom:tick_work_seconds:p99_{WINDOW}"
REFILLS: Final = f"voiceroom:jb_refill_timeouts_per_leg:rate{WINDOW}"

_LATE: Final = "voiceroom_tick_lateness_seconds"
_SIDE: Final = '{side="late"}'


def _served() -> str:
    return f"max by ({POD}) (max_over_time(voiceroom_ready[15m] offset {_SETTLED})) == 1"


def _refills() -> str:
    legs = f"clamp_min(sum by ({POD}) (voiceroom_legs), 1)"
    return f"{rate('voiceroom_jb_refill_timeouts_total')} / {legs}"


def _limit() -> str:
    return f"max by ({POOL}) {of_leader('voiceroom_operator_pool_lateness_limit_seconds')}"


def of_served(expr: str) -> str:
    """Without pods that have just begun: what starts is late, and that is over soon."""
    return f"({expr}) and on (namespace, pod) {SERVED}"


RECORDING: Final = Group(
    "voiceroom.recording",
    (
        Record(SERVED, _served(), f"Pods that were in service {_SETTLED} ago."),
        Record(LATE_P99, quantile(0.99, _LATE, _SIDE), "Lateness of ticks, p99."),
        Record(LATE_P50, quantile(0.5, _LATE, _SIDE), "Lateness of ticks, the median."),
        Record(LIMIT, _limit(), "p99 of lateness from which on a pool's pods are late."),
        Record(LOST, lost_ratio(), "Share of ticks that were skipped, or late by a frame or more."),
        Record(WORK_P99, quantile(0.99, "voiceroom_tick_work_seconds"), "Work of a tick, p99."),
        Record(REFILLS, _refills(), "Jitter buffers that ran dry, per leg and second."),
    ),
    EVALUATION_S,
)
