"""Pod and node timing: how late timers are, where the time goes, and what the pod does about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from voiceroom_api import names
from voiceroom_api.diagnosis import STEAL_SHARE
from voiceroom_dashboards.boards.model import Board, Colour, Panel, Query, Row
from voiceroom_dashboards.boards.podqueries import (
    DRIFT,
    EACH_POD,
    LATE,
    counter,
    gauge,
    p99,
    verdict,
)
from voiceroom_dashboards.boards.queries import (
    BY_CPU,
    BY_POD,
    BY_POOL,
    NAMESPACE,
    NODE,
    NODES,
    POD,
    PODS,
    POOL,
    POOLS,
    PROBED,
    buckets,
    per_s,
    pick,
    quantile,
    total,
    trend,
    worst,
)
from voiceroom_dashboards.boards.spread import WAY
from voiceroom_dashboards.rules import recording

WAITING: Final = "voiceroom_timer_drift_waiting_max_seconds"
_CPU: Final = "{{node}} cpu {{cpu}}"
BREAKER: Final[Mapping[int, tuple[str, Colour]]] = {
    0: ("closed", "green"),
    1: ("half-open", "orange"),
    2: ("open", "red"),
}


def _node_time(modes: str, by: str) -> str:
    """Share of a CPU's time."""
    return per_s(pick("voiceroom_node_cpu_seconds_total", NODES, f'mode=~"{modes}"'), by)


CLOCK_PAIRS: Final = Panel(
    "Clock pairs",
    "Rate of one clock against another over the last minute. Within some tens of ppm the machine "
    "is well: more is a clock that runs wrong, and no tick tells of it.",
    "ppm",
    (gauge("voiceroom_clock_rate_ppm", f"{EACH_POD} {{{{pair}}}}", f"{BY_POD}, pair"),),
)
RUN_DELAY: Final = Panel(
    "Run delay of media",
    "How long the media process stood runnable without a CPU between two ticks, by its own "
    "schedstat, and each time, by the clock probe of its node (clockProbe.enabled of the chart); "
    "at p99. Beyond 500 us packets are felt.",
    "s",
    (
        p99("voiceroom_run_delay_seconds"),
        Query(
            quantile(0.99, pick("voiceroom_sched_latency_seconds_bucket", PROBED), BY_POD),
            f"{EACH_POD} p99 by the probe",
        ),
    ),
    steps=LATE,
)
THROTTLE: Final = Panel(
    "Throttled",
    "Share of the last minute in which the pod said that its own CPU quota held it, and the "
    "throttled time itself, seconds a second.",
    "percentunit",
    (
        verdict(names.THROTTLE),
        counter("voiceroom_throttled_seconds_total", f"{EACH_POD} throttled time"),
    ),
)
STOLEN: Final = Panel(
    "Stolen",
    "Share of the time of the pod's CPUs that the hypervisor gave to others.",
    "percentunit",
    (counter("voiceroom_steal_seconds_total"),),
    steps=((0.02, "yellow"), (0.1, "orange")),
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
            f"{EACH_POD} generation {{{{generation}}}}",
        ),
    ),
)
PROBE_WAITING: Final = Panel(
    "Of it, waiting for the CPU",
    "How long the probe stood in the run queue with its timer fired, the longest of a minute. "
    "Drift beyond it is the timer's or the hypervisor's.",
    "s",
    (Query(trend(pick(WAITING, NODES), BY_CPU), _CPU),),
    steps=LATE,
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
            steps=LATE,
        ),
        PROBE_WAITING,
    ),
    ("VoiceroomNodeClockBad", "VoiceroomNodeUnfit", "VoiceroomStarved"),
)
_NODE_TIME: Final = Row(
    "Interrupts, steal, pressure",
    "What else had the CPU. By the node's clock probe (clockProbe.enabled of the chart).",
    (
        Panel(
            "Drift and interrupts",
            "How late a sleep woke, and on the right the share of the same CPU's time in hard and "
            "soft interrupts. Both rise together: interrupts land there.",
            "s",
            (
                Query(trend(pick(DRIFT, NODES), BY_CPU), f"{_CPU} drift"),
                Query(_node_time("irq|softirq", BY_CPU), f"{_CPU} interrupts", right="percentunit"),
            ),
            width=24,
        ),
        Panel(
            "Interrupts by CPU",
            "Share of each CPU's time in hard and soft interrupts. One CPU with much: irqbalance, "
            "or a network card with one queue.",
            "percentunit",
            (Query(_node_time("irq|softirq", f"{BY_CPU}, mode"), f"{_CPU} {{{{mode}}}}"),),
        ),
        Panel(
            "Steal by CPU",
            "Share of each CPU's time that the hypervisor gave to others; above 2 % it is heard.",
            "percentunit",
            (Query(_node_time("steal", BY_CPU), _CPU),),
            steps=((STEAL_SHARE, "red"),),
        ),
        Panel(
            "Pressure of the node",
            "Share of time in which something waited for CPU, disk or memory (PSI, some).",
            "percentunit",
            (
                Query(
                    per_s(pick("voiceroom_node_pressure_seconds_total", NODES), "node, resource"),
                    "{{node}} {{resource}}",
                ),
            ),
        ),
        Panel(
            "Alarms of the clock probe",
            "Waits of media for a CPU of more than 500 us that the probe told it of; three within "
            "5 s are a step of the ladder.",
            "ops",
            (counter("voiceroom_scheduling_alarms_total"),),
        ),
    ),
    ("VoiceroomStarved", "VoiceroomPressed"),
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
            "At p99, the greatest of the last minute, and the p99 that the pool's profile allows.",
            "s",
            (
                Query(worst(pick(recording.LIMIT, POOLS), BY_POOL), "{{pool}} allows"),
                Query(worst(pick(recording.LATE_P99, PODS), BY_POD), f"{EACH_POD} p99"),
                Query(
                    trend(pick("voiceroom_tick_lateness_max_seconds", PODS), BY_POD),
                    f"{EACH_POD} max",
                ),
            ),
            steps=LATE,
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
    (
        "VoiceroomClockRate",
        "VoiceroomClockStep",
        "VoiceroomClockStepsRepeat",
        "VoiceroomClockSourceSwitched",
    ),
)
_LOST_TIME: Final = Row(
    "Where the time goes",
    "Throttle and garbage collection are the pod's; run delay is mostly the node's.",
    (
        THROTTLE,
        STOLEN,
        RUN_DELAY,
        GC_PAUSES,
        Panel(
            "Interpreter or loop held",
            "Share of the last minute in which the pod said that another thread held the "
            "interpreter (gil), or one call its loop (loop-block).",
            "percentunit",
            (
                replace(verdict(names.GIL), legend=f"{EACH_POD} gil"),
                replace(verdict(names.LOOP_BLOCK), legend=f"{EACH_POD} loop-block"),
            ),
        ),
        Panel(
            "Work of a tick",
            "At p99, and the time between two ticks, which it has to fit into.",
            "s",
            (
                Query(worst(pick(recording.WORK_P99, PODS), BY_POD), f"{EACH_POD} p99"),
                gauge("voiceroom_tick_interval_seconds", f"{EACH_POD} interval"),
            ),
        ),
    ),
    (
        "VoiceroomThrottled",
        "VoiceroomStarved",
        "VoiceroomStolen",
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
            (Query(total(pick("voiceroom_chaos_active", PODS), BY_POD), EACH_POD),),
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

_ACT: Final = Row(
    "Act",
    """To be copied; choose one namespace, pod and node above. A node that is cordoned is left by
its rooms, and nobody has to rejoin.

```sh
kubectl voiceroom diagnose pod/$pod -n $namespace
kubectl voiceroom diagnose node/$node
kubectl cordon $node
kubectl uncordon $node
```
""",
    (),
    ("VoiceroomNodeClockBad", "VoiceroomTicksLate"),
)

TIMING: Final = Board(
    "timing",
    "Voiceroom: pod and node timing",
    "How late timers are on each CPU, where the time goes, and what the pod does about it.",
    (NAMESPACE, POOL, NODE, POD),
    (_CPUS, _NODE_TIME, WAY, _TICKS, _CLOCKS, _LOST_TIME, _DEFENCE, _ACT),
)
