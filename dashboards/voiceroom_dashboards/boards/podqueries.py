"""Queries of one metric, of each pod that is chosen, and the steps of lateness."""

from __future__ import annotations

from typing import Final

from voiceroom_api.thresholds import STEADY_MS
from voiceroom_dashboards.boards.model import Colour, Query
from voiceroom_dashboards.boards.queries import (
    BY_POD,
    PODS,
    per_s,
    pick,
    quantile,
    share_of_time,
    worst,
)
from voiceroom_dashboards.rules.timing import BAD_ANYHOW_MS

DRIFT: Final = "node_timer_drift_delta_seconds"
EACH_POD: Final = "{{pod}}"
TOLERANCE_S: Final = 500e-6
"""Of packetisation."""
LATE: Final[tuple[tuple[float, Colour], ...]] = (
    (TOLERANCE_S, "yellow"),
    (STEADY_MS / 1000, "orange"),
    (BAD_ANYHOW_MS / 1000, "red"),
)


def gauge(metric: str, legend: str = EACH_POD, by: str = BY_POD) -> Query:
    """The greatest, of each pod that is chosen."""
    return Query(worst(pick(metric, PODS), by), legend)


def counter(metric: str, legend: str = EACH_POD, more: str = "", label: str = "") -> Query:
    """Per second, of each pod that is chosen."""
    by = f"{BY_POD}, {label}" if label else BY_POD
    return Query(per_s(pick(metric, PODS, more), by), legend)


def p99(metric: str, where: str = PODS, more: str = "") -> Query:
    """Of a histogram, of each pod that is chosen."""
    return Query(quantile(0.99, pick(f"{metric}_bucket", where, more), BY_POD), f"{EACH_POD} p99")


def verdict(cause: str) -> Query:
    """For how much of the last minute it was the pod's verdict."""
    said = pick("voiceroom_drift_cause", PODS, f'cause="{cause}"')
    return Query(share_of_time(said, BY_POD), EACH_POD)
