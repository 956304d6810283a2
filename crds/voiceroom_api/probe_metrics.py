"""Every metric of the clock probe, declared once, like the mixer's (``metrics``)."""

from __future__ import annotations

from typing import Final

from voiceroom_api.metric import LATENESS_BUCKETS_S, Metric

TIMERS: Final[tuple[Metric, ...]] = (
    Metric(
        "node_timer_drift_delta_seconds",
        "gauge",
        "How late an absolute sleep woke on this CPU, the greatest of the last 60 s; the same for "
        "every scraper.",
        "seconds",
        ("cpu",),
    ),
    Metric(
        "voiceroom_timer_drift_seconds",
        "histogram",
        "How late the absolute sleeps of the clock probe woke, on all CPUs that it visits.",
        "seconds",
        buckets=LATENESS_BUCKETS_S,
    ),
    Metric(
        "voiceroom_timer_drift_waiting_max_seconds",
        "gauge",
        "How long the clock probe stood in the run queue of this CPU with its timer fired, the "
        "longest of the last 60 s: drift beyond it is the timer's or the hypervisor's.",
        "seconds",
        ("cpu",),
    ),
    Metric(
        "voiceroom_clock_probe_strayed_total",
        "counter",
        "Visits that ended on another CPU, since theirs was taken away; they are not counted.",
    ),
    Metric(
        "voiceroom_clock_probe_info",
        "info",
        "Scheduling that the clock probe was granted, how it visits CPUs, and why not more.",
        labels=("policy", "priority", "visits", "reason"),
    ),
)
"""In a mixer's pod and on a node alike."""

SCHEDULING: Final[tuple[Metric, ...]] = (
    Metric(
        "voiceroom_sched_latency_seconds",
        "histogram",
        "How long the media process of a mixer pod stood in a run queue: each time (ebpf), or "
        "summed over 20 ms (schedstat).",
        "seconds",
        ("namespace", "pod", "source"),
        LATENESS_BUCKETS_S,
    ),
    Metric(
        "voiceroom_sched_signals_total",
        "counter",
        "SIGUSR1 sent to the media process of a mixer pod, which had waited for more than 500 us.",
        labels=("namespace", "pod"),
    ),
    Metric(
        "voiceroom_sched_latency_info",
        "info",
        "Where scheduling latency is read, and why not from eBPF.",
        labels=("source", "reason"),
    ),
)
"""Of mixer pods, by who looks at them from the node."""
NODE_TIMES: Final[tuple[Metric, ...]] = (
    Metric(
        "voiceroom_node_cpu_seconds_total",
        "counter",
        "Time of each CPU that went to interrupts (irq, softirq) and to others of the hypervisor "
        "(steal), from /proc/stat.",
        "seconds",
        ("cpu", "mode"),
        values={"mode": ("irq", "softirq", "steal")},
    ),
    Metric(
        "voiceroom_node_pressure_seconds_total",
        "counter",
        "Time in which something on the node waited for a resource (PSI, some).",
        "seconds",
        ("resource",),
        values={"resource": ("cpu", "io", "memory")},
    ),
)
"""Of the node itself."""
ON_NODE: Final[tuple[Metric, ...]] = (*SCHEDULING, *NODE_TIMES)
"""On a node only."""

METRICS: Final[tuple[Metric, ...]] = (*TIMERS, *ON_NODE)
