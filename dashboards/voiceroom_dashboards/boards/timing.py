"""Pod and node timing: how late timers are, where the time goes, and what the pod does about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voiceroom_api import names
from voiceroom_dashboards.boards.model import Board, Colour, Panel, Query, Row
from voiceroom_dashboards.boards.queries import (
    BY_CPU,
    BY_POD,
    NAMESPACE,
    NODE,
    NODES,
    POD,
    PODS,
    POOL,
    PROBED,
    buckets,
    per_s,
    pick,
    quantile,
    share_of_time,
    total,
    trend,
    worst,
)
from voiceroom_dashboards.rules import recording

DRIFT: Final = "node_timer_drift_delta_seconds"
WAITING: Final = "voiceroom_timer_drift_waiting_max_seconds"
_POD: Final = "{{pod}}"
_CPU: Final = "{{node}} cpu {{cpu}}"
_TOLERANCE_S: Final = 500e-6
"""Of packetisation."""
_LATE: Final = ((_TOLERANCE_S, "yellow"), (5e-3, "orange"), (20e-3, "red"))
BREAKER: Final[Mapping[int, tuple[str, Colour]]] = {
    0: ("closed", "green"),
    1: ("half-open", "orange"),
    2: ("open", "red"),
}


def gauge(metric: str, legend: str = _POD, by: str = BY_POD) -> Query:
    """The greatest, of each pod that is chosen."""
    return Query(worst(pick(metric, PODS), by), legend)


def counter(metric: str, legend: str = _POD, more: str = "", label: str = "") -> Query:
    """Per second, of each pod that is chosen."""
    by = f"{BY_POD}, {label}" if label else BY_POD
    return Query(per_s(pick(metric, PODS, more), by), legend)


def p99(metric: str, where: str = PODS, more: str = "") -> Query:
    """Of a histogram, of each pod that is chosen."""
    return Query(quantile(0.99, pick(f"{metric}_bucket", where, more), BY_POD), f"{_POD} p99")


def verdict(cause: str) -> Query:
    """For how much of the last minute it was the pod's verdict."""
    said = pick("voiceroom_drift_cause", PODS, f'cause="{cause}"')
    return Query(share_of_time(said, BY_POD), _POD)


CLOCK_PAIRS: Final = Panel(
    "Clock pairs",
    "Rate of one clock against another over the last minute. Within some tens of ppm the machine "
    "is well: more is a clock that runs wrong, and no tick tells of it.",
    "ppm",
    (gauge("voiceroom_clock_rate_ppm", f"{_POD} {{{{pair}}}}", f"{BY_POD}, pair"),),
)
RUN_DELAY: Final = Panel(
    "Run delay of media",
    "How long the media process stood in a run queue at p99, by the clock probe of its node "
    "(clockProbe.enabled of the chart); beyond 500 us packets are felt.",
    "s",
    (p99("voiceroom_sched_latency_seconds", PROBED),),
    steps=_LATE,
)
THROTTLE: Final = Panel(
    "Throttled",
    "Share of the last minute in which the pod said that its own CPU quota held it. The throttled "
    "time itself is in `kubectl voiceroom diagnose`.",
    "percentunit",
    (verdict(names.THROTTLE),),
)
GC_PAUSES: Final = Panel(
    "Garbage collection",
    "Pauses of media at p99, by generation.",
    "s",
    (
        Query(
            quantile(
                0.99, pick("voiceroom_gc_pause_seconds_bucket", PODS), f"{BY_POD}, generation"
            ),
            f"{_POD} generation {{{{generation}}}}",
        ),
    ),
)
PROBE_WAITING: Final = Panel(
    "Of it, waiting for the CPU",
    "How long the probe stood in the run queue with its timer fired, the longest of a minute. "
    "Drift beyond it is the timer's or the hypervisor's.",
    "s",
    (Query(trend(pick(WAITING, NODES), BY_CPU), _CPU),),
    steps=_LATE,
)

_CPUS: Final = Row(
    "CPUs of the node",
    "How late a sleep wakes on each CPU, with no work of ours in it: what is seen is the machine.",
    (
        Panel(
            "Drift by CPU",
            "A row for each CPU, coloured by how late a sleep woke, the greatest of a minute. One "
            "dark row: that CPU; all rows at once: the node or its hypervisor.",
            "s",
            (Query(trend(pick(DRIFT, NODES), BY_CPU), _CPU),),
            "rows",
            24,
        ),
        Panel(
            "Drift, trend",
            "The same as lines: max_over_time of a minute, never a rate.",
            "s",
            (Query(trend(pick(DRIFT, NODES), BY_CPU), _CPU),),
            steps=_LATE,
        ),
        PROBE_WAITING,
    ),
    ("VoiceroomNodeClockBad", "VoiceroomNodeUnfit", "VoiceroomStarved"),
)
_TICKS: Final = Row(
    "Ticks",
    "The same with the mixer's own work in it.",
    (
        Panel(
            "Lateness, spread",
            "How many ticks were how late.",
            "short",
            (
                Query(
                    buckets(pick("voiceroom_tick_lateness_seconds_bucket", PODS, 'side="late"')),
                    "{{le}}",
                ),
            ),
            "buckets",
        ),
        Panel(
            "Lateness",
            "At p99, and the greatest of the last minute.",
            "s",
            (
                Query(worst(pick(recording.LATE_P99, PODS), BY_POD), f"{_POD} p99"),
                Query(
                    trend(pick("voiceroom_tick_lateness_max_seconds", PODS), BY_POD),
                    f"{_POD} max",
                ),
            ),
            steps=_LATE,
        ),
    ),
    ("VoiceroomTicksLate", "VoiceroomTicksLost"),
)
_CLOCKS: Final = Row(
    "Clocks",
    "Whether the clocks of the node agree, and what it costs to read them.",
    (
        CLOCK_PAIRS,
        Panel(
            "Cost of reading a clock",
            "From the self-test at start: min, mean and max. More than a microsecond: a clock "
            "source that leaves the vDSO.",
            "s",
            (
                gauge(
                    "voiceroom_clock_read_seconds",
                    "{{pod}} {{clock}} {{stat}}",
                    f"{BY_POD}, clock, stat",
                ),
            ),
        ),
        Panel(
            "Grade and clock source",
            "How fit each node is for keeping time, and why.",
            "short",
            (
                Query(
                    worst(pick("voiceroom_node_grade_info", PODS), "node, grade, reason"),
                ),
            ),
            "facts",
        ),
        Panel(
            "Scheduling that was granted",
            "What the kernel gave media, and why not more.",
            "short",
            (
                Query(
                    worst(
                        pick("voiceroom_scheduling_info", PODS),
                        f"{BY_POD}, policy, priority, mlock, reason",
                    ),
                ),
            ),
            "facts",
        ),
    ),
    ("VoiceroomClockRate", "VoiceroomClockStep", "VoiceroomClockStepsRepeat"),
)
_LOST_TIME: Final = Row(
    "Where the time goes",
    "Throttle and garbage collection are the pod's; run delay is mostly the node's.",
    (
        THROTTLE,
        RUN_DELAY,
        GC_PAUSES,
        Panel(
            "Work of a tick",
            "At p99, and the time between two ticks, which it has to fit into.",
            "s",
            (
                Query(worst(pick(recording.WORK_P99, PODS), BY_POD), f"{_POD} p99"),
                gauge("voiceroom_tick_interval_seconds", f"{_POD} interval"),
            ),
        ),
    ),
    (
        "VoiceroomThrottled",
        "VoiceroomStarved",
        "VoiceroomGarbageCollection",
        "VoiceroomOverloaded",
    ),
)
_DEFENCE: Final = Row(
    "What the pod does about it",
    "In frames, by itself (docs/timing.md).",
    (
        Panel(
            "Ladder",
            "0 nothing is taken away; 4 one talker is passed on; 5 joins are refused and the "
            "rooms leave.",
            "short",
            (gauge("voiceroom_ladder_level"),),
            steps=((1, "yellow"), (4, "orange"), (5, "red")),
        ),
        Panel(
            "Breaker",
            "Open while ticks are bad or clocks contradict each other.",
            "short",
            (gauge("voiceroom_breaker_state"),),
            "states",
            words=BREAKER,
        ),
        Panel(
            "Steps of the ladder",
            "Down takes more away, up gives back. Many of both: the load is at the edge.",
            "ops",
            (counter("voiceroom_ladder_steps_total", "{{pod}} {{direction}}", label="direction"),),
        ),
        Panel(
            "Faults on order",
            "Pods into which a fault is being injected: a drill (docs/chaos.md).",
            "short",
            (Query(total(pick("voiceroom_chaos_active", PODS), BY_POD), _POD),),
            steps=((1, "orange"),),
        ),
    ),
    (
        "VoiceroomTicksLate",
        "VoiceroomOverloaded",
        "VoiceroomBreakerOpen",
        "VoiceroomPressed",
        "VoiceroomSoundReduced",
        "VoiceroomSoundCut",
    ),
)

TIMING: Final = Board(
    "timing",
    "Voiceroom: pod and node timing",
    "How late timers are on each CPU, where the time goes, and what the pod does about it.",
    (NAMESPACE, POOL, NODE, POD),
    (_CPUS, _TICKS, _CLOCKS, _LOST_TIME, _DEFENCE),
)
