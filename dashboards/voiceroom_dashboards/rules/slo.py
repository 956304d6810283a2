"""The promise that 99.9 % of frames are on time, and how fast its budget is used up.

Each alert looks at a long window, so that a moment does not wake anybody, and at a short one, so
that it ends when the trouble does (Google's SRE workbook, chapter 5). Calls are short: a fast burn
that lasts is seen by the symptoms in ``timing`` long before.
"""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.rules.model import Alert, Group, Record, Severity
from voiceroom_dashboards.rules.promql import EVALUATION_S, POOL, lost_ratio

OBJECTIVE: Final = 0.999
"""Share of frames that are mixed within their time."""
WINDOWS: Final = ("5m", "30m", "1h", "6h")
FAST: Final = 14.4
"""Frames are lost so many times faster than the objective allows when somebody is paged."""
SLOW: Final = 6.0
"""The same, when it is a ticket."""
_WHO: Final = "Pool {{ $labels.namespace }}/{{ $labels.pool }}"


def lost_of_pool(window: str) -> str:
    """The record of a window, of a whole pool: pods come and go within an hour."""
    return f"voiceroom_pool:ticks_lost:ratio_rate{window}"


def _record(window: str) -> Record:
    says = f"Share of a pool's ticks that were skipped, or late by a frame or more, in {window}."
    return Record(lost_of_pool(window), lost_ratio(window, POOL), says)


def _burns(name: str, severity: Severity, factor: float, long: str, short: str) -> Alert:
    """``factor``: how many times faster than the objective allows."""
    most = f"{factor * (1 - OBJECTIVE):g}"
    return Alert(
        name,
        severity,
        f"{lost_of_pool(long)} > {most} and {lost_of_pool(short)} > {most}",
        f"{_WHO} loses more frames than it may",
        f"{{{{ $value | humanizePercentage }}}} within {long}; the objective of {OBJECTIVE:.1%} is "
        f"missed {factor:g} times over.",
        "fleet",
        for_s=60,
    )


SLO: Final = Group(
    "voiceroom.slo",
    (
        *map(_record, WINDOWS),
        _burns("VoiceroomFrameBudgetFast", "critical", FAST, "1h", "5m"),
        _burns("VoiceroomFrameBudgetSlow", "warning", SLOW, "6h", "30m"),
    ),
    EVALUATION_S,
)
