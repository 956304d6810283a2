"""Metrics of clocks, and of what is wrong with them."""

from __future__ import annotations

from typing import Final

from voiceroom_api import names
from voiceroom_api.metric import LATENESS_BUCKETS_S, Metric

CLOCK: Final = (
    Metric(
        "voiceroom_clock_rate_ppm",
        "gauge",
        "Rate of one clock against another over the last 60 s.",
        "ppm",
        ("pair",),
    ),
    Metric(
        "voiceroom_clock_step_seconds_total",
        "counter",
        "Sum of the sizes of the steps seen between two clocks.",
        "seconds",
        ("pair",),
    ),
    Metric(
        "voiceroom_clock_read_seconds",
        "gauge",
        "Cost of reading a clock, from the self-test at start.",
        "seconds",
        ("clock", "stat"),
        values={"stat": ("min", "mean", "std", "max")},
    ),
    Metric(
        "voiceroom_clock_info",
        "info",
        "The kernel's clock source and the processor architecture.",
        labels=("clocksource", "arch"),
    ),
    Metric("voiceroom_clock_backsteps_total", "counter", "Clock readings before an earlier one."),
    Metric(
        "voiceroom_clock_error_seconds",
        "gauge",
        "By how much readings of CLOCK_MONOTONIC are wrong in media, either way; it is taken off.",
        "seconds",
    ),
    Metric(
        "voiceroom_clock_corrections_total",
        "counter",
        "Changes of that error by a millisecond or more, each of which cost no frame.",
    ),
    Metric(
        "voiceroom_clocksource_changes_total",
        "counter",
        "Times that the kernel has switched to another clock source under media.",
    ),
    Metric(
        "voiceroom_run_delay_seconds",
        "histogram",
        "How long media stood runnable without a CPU between two ticks (schedstat).",
        "seconds",
        buckets=LATENESS_BUCKETS_S,
    ),
    Metric(
        "voiceroom_throttled_seconds_total",
        "counter",
        "Time for which the pod's own cgroup was held back by its CPU quota.",
        "seconds",
    ),
    Metric(
        "voiceroom_steal_seconds_total",
        "counter",
        "Time that the hypervisor gave to others, the mean of the CPUs that media may use.",
        "seconds",
    ),
    Metric(
        "voiceroom_drift_cause",
        "gauge",
        "1 for the verdict on what is wrong with time now, by any media process, or for what "
        "control's event loop does to itself, else 0.",
        labels=("cause",),
        values={"cause": names.VERDICTS},
    ),
    Metric(
        "voiceroom_loop_cause",
        "gauge",
        "1 for what keeps control's event loop from running now, as media sees it, else 0.",
        labels=("cause",),
        values={"cause": names.VERDICTS},
    ),
    Metric(
        "voiceroom_drift_faults_total",
        "counter",
        "Faults of time that have begun, by cause; lesser ones beside the verdict count too.",
        labels=("cause",),
        values={"cause": names.VERDICTS},
    ),
    Metric(
        "voiceroom_clock_recoveries_total",
        "counter",
        "Faults of time that have ended: within 10 s (recovered), later (late), or with a restart "
        "of media (restarted).",
        labels=("status",),
        values={"status": ("recovered", "late", "restarted")},
    ),
    Metric(
        "voiceroom_node_grade_info",
        "info",
        "How fit the node is for keeping time: A, B or C, and why.",
        labels=("grade", "reason"),
    ),
    Metric(
        "voiceroom_scheduling_info",
        "info",
        "Scheduling that media was granted, and why not more.",
        labels=("policy", "priority", "mlock", "reason"),
    ),
)
