"""Root cause: the verdict, whose fault it is, and the evidence for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voiceroom_api import names
from voiceroom_dashboards.boards.model import Board, Panel, Query, Row
from voiceroom_dashboards.boards.podqueries import EACH_POD, counter, gauge, p99
from voiceroom_dashboards.boards.queries import (
    BY_POD,
    NAMESPACE,
    NODE,
    POD,
    PODS,
    POOL,
    grown,
    pick,
    share_of_time,
    trend,
    worst,
)
from voiceroom_dashboards.boards.timing import (
    CLOCK_PAIRS,
    GC_PAUSES,
    PROBE_WAITING,
    RUN_DELAY,
    THROTTLE,
)
from voiceroom_dashboards.rules import recording
from voiceroom_dashboards.rules.model import runbook_url

_SAID: Final = pick("voiceroom_drift_cause", PODS)
_FAULTS: Final = pick("voiceroom_drift_faults_total", PODS)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a verdict says; ``docs/remediation.md`` has the same in sentences."""

    whose: str
    because: str
    alert: str


MEANINGS: Final[Mapping[str, Meaning]] = {
    names.RATE: Meaning("node", "two clocks run at different rates", "VoiceroomClockRate"),
    names.STEP_ALL: Meaning("node", "all clocks jumped", "VoiceroomClockStep"),
    names.STEP_ONE: Meaning(
        "pod, or node when two pods show it", "one clock jumped", "VoiceroomClockStep"
    ),
    names.FREEZE: Meaning(
        "pod, or node when two pods show it",
        "late, all clocks agree, no account says where the time went",
        "VoiceroomFrozen",
    ),
    names.THROTTLE: Meaning("pod", "its own CPU quota is used up", "VoiceroomThrottled"),
    names.STARVED: Meaning("node", "runnable, and gets no CPU", "VoiceroomStarved"),
    names.GC: Meaning("pod", "garbage collection", "VoiceroomGarbageCollection"),
    names.GIL: Meaning("pod", "another thread holds the interpreter", "VoiceroomInterpreterHeld"),
    names.LOOP_BLOCK: Meaning("pod", "one call holds the loop", "VoiceroomLoopBlocked"),
    names.OVERLOAD: Meaning("nobody", "mixing takes longer than the frame", "VoiceroomOverloaded"),
}


def _table() -> str:
    """Markdown, with the runbook of each verdict."""
    rows = (
        f"| {cause} | {m.whose} | {m.because} | [{m.alert}]({runbook_url(m.alert)}) |"
        for cause, m in MEANINGS.items()
    )
    return "\n".join(
        ("| verdict | whose | because | runbook |", "| --- | --- | --- | --- |", *rows)
    )


_MEANS: Final = Row(
    "What a verdict means",
    _table(),
    (),
)
_VERDICTS: Final = Row(
    "Verdicts",
    "A verdict is the pod's own word; `kubectl voiceroom diagnose POD` says it with its evidence "
    "and the remedy. Several pods of one node: the node.",
    (
        Panel(
            "Verdicts within what is shown",
            "How many faults began, by pod and cause; lesser ones beside the verdict count too.",
            "short",
            (Query(f"{grown(_FAULTS, f'{BY_POD}, node, cause')} > 0"),),
            "table",
        ),
        Panel(
            "Verdicts now",
            "Pods that say now that time is not kept. Empty is good.",
            "short",
            (Query(f"{worst(_SAID, f'{BY_POD}, node, cause')} == 1"),),
            "facts",
        ),
        Panel(
            "Verdicts over time",
            "Share of each minute that a verdict held, in the worst pod.",
            "percentunit",
            (Query(share_of_time(_SAID, "cause"), "{{cause}}"),),
        ),
        Panel(
            "Pods with a verdict, by node",
            "Two or more of one node, and of no other: it is the node's.",
            "short",
            (Query(f"count by (node) ({worst(_SAID, f'{BY_POD}, node')} == 1)", "{{node}}"),),
            steps=((2, "red"),),
        ),
    ),
    ("VoiceroomNodeClockBad", "VoiceroomStormStopped", "VoiceroomRemediationBlocked"),
)
_OF_CLOCKS: Final = Row(
    "Evidence: rate, step-one, step-all",
    "Clocks against each other. Media goes by the kernel's CLOCK_MONOTONIC and bridges steps.",
    (
        CLOCK_PAIRS,
        Panel(
            "Steps of clocks",
            "Sizes of the steps between two clocks, summed within what is shown.",
            "s",
            (
                Query(
                    grown(pick("voiceroom_clock_step_seconds_total", PODS), f"{BY_POD}, pair"),
                    f"{EACH_POD} {{{{pair}}}}",
                ),
            ),
        ),
        Panel(
            "Error of readings",
            "What media takes off its readings of CLOCK_MONOTONIC: known, it harms nobody.",
            "s",
            (gauge("voiceroom_clock_error_seconds", EACH_POD),),
        ),
        Panel(
            "Readings before an earlier one",
            "A clock that goes backwards.",
            "ops",
            (counter("voiceroom_clock_backsteps_total"),),
        ),
    ),
    ("VoiceroomClockRate", "VoiceroomClockStep", "VoiceroomClockStepsRepeat"),
)
_OF_CPU: Final = Row(
    "Evidence: freeze, throttle, starved",
    "Late, and the mixer did not run. What neither throttle nor run delay explains is a freeze.",
    (
        Panel(
            "Greatest lateness",
            "Of ticks, in each minute.",
            "s",
            (Query(trend(pick("voiceroom_tick_lateness_max_seconds", PODS), BY_POD), EACH_POD),),
        ),
        THROTTLE,
        RUN_DELAY,
        PROBE_WAITING,
    ),
    ("VoiceroomFrozen", "VoiceroomThrottled", "VoiceroomStarved"),
)
_OF_CODE: Final = Row(
    "Evidence: gc, gil, loop-block",
    "Late, and the mixer ran: its own code held it.",
    (
        GC_PAUSES,
        Panel(
            "Lag of control's loop",
            "At p99. Control does not hold media up; both at once is the machine.",
            "s",
            (p99("voiceroom_loop_lag_seconds"),),
        ),
        Panel(
            "Control stood still",
            "For more than 200 ms.",
            "ops",
            (counter("voiceroom_loop_blocked_total"),),
        ),
        Panel(
            "Waiting for locks",
            "Seconds a second.",
            "percentunit",
            (counter("voiceroom_lock_wait_seconds_total"),),
        ),
        Panel(
            "Tasks of control",
            "And how many there should be: what is begun and never ends grows.",
            "short",
            (
                gauge("voiceroom_tasks", f"{EACH_POD} tasks"),
                gauge("voiceroom_tasks_expected", f"{EACH_POD} expected"),
            ),
        ),
    ),
    (
        "VoiceroomGarbageCollection",
        "VoiceroomInterpreterHeld",
        "VoiceroomLoopBlocked",
        "VoiceroomLockWait",
        "VoiceroomTasksGrow",
    ),
)
_OF_LOAD: Final = Row(
    "Evidence: overload",
    "The tick's own work does not fit into the frame.",
    (
        Panel(
            "Work of a tick",
            "At p99, the longest of a minute, and the time that there is.",
            "s",
            (
                Query(worst(pick(recording.WORK_P99, PODS), BY_POD), f"{EACH_POD} p99"),
                Query(
                    trend(pick("voiceroom_tick_work_max_seconds", PODS), BY_POD), f"{EACH_POD} max"
                ),
                gauge("voiceroom_tick_interval_seconds", f"{EACH_POD} interval"),
            ),
        ),
        Panel(
            "Legs and talkers",
            "What there is to be mixed.",
            "short",
            (
                gauge("voiceroom_legs", f"{EACH_POD} legs"),
                gauge("voiceroom_talkers", f"{EACH_POD} talkers"),
            ),
        ),
        Panel(
            "Talkers cut",
            "Talkers left out of a mix because the tick was running late.",
            "ops",
            (counter("voiceroom_talkers_cut_total"),),
        ),
        Panel(
            "PCM buffers beyond the pool",
            "Allocations within a tick: more talkers at once than ever before.",
            "ops",
            (counter("voiceroom_pcm_pool_misses_total"),),
        ),
    ),
    ("VoiceroomOverloaded", "VoiceroomHeadroomLow", "VoiceroomPcmAllocation"),
)

CAUSE: Final = Board(
    "cause",
    "Voiceroom: root cause",
    "Which verdict, whose fault it is, and the evidence for it.",
    (NAMESPACE, POOL, NODE, POD),
    (_VERDICTS, _MEANS, _OF_CLOCKS, _OF_CPU, _OF_CODE, _OF_LOAD),
)
