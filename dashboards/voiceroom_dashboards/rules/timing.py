"""Alerts about time that is not kept. Those marked ``timing`` go to the operator as well.

Thresholds are those that the operator's own look goes by (``voiceroom_api.thresholds``). What a
pool's profile says of p99 the operator exports; where that is not scraped p99 is held against the
most lenient profile. The rest is bad in every profile.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from voiceroom_api import names
from voiceroom_api.thresholds import LOST_SHARE, PROFILES, STEADY_MS
from voiceroom_dashboards.rules import recording
from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.promql import (
    EVALUATION_S,
    FOR_S,
    KEEP_S,
    POD,
    POOL,
    WINDOW,
    half_of_the_time,
    increase,
    rate,
)

CAUSE: Final = f"{POD}, cause"
_WHO: Final = "{{ $labels.namespace }}/{{ $labels.pod }}"
_AT: Final = f"{_WHO} on {{{{ $labels.node }}}}"
_STEPS: Final = f'voiceroom_drift_faults_total{{cause=~"{names.STEP_ONE}|{names.STEP_ALL}"}}'
_NODE_CAUSES: Final = "|".join((names.RATE, names.STARVED, names.STEP_ALL))


def _timing(alert: Alert) -> Alert:
    """One that the operator is told of."""
    return replace(alert, timing=True, for_s=FOR_S, keep_s=KEEP_S)


_OF_PROFILES: Final = ", ".join(f"{name} {of.bad_ms:g} ms" for name, of in PROFILES.items())
BAD_ANYHOW_MS: Final = max(profile.bad_ms for profile in PROFILES.values())


def _late() -> str:
    of_profile = f"{recording.LATE_P99} > on ({POOL}) group_left () {recording.LIMIT}"
    anyhow = f"{recording.LATE_P99} > {BAD_ANYHOW_MS / 1000:g}"
    return f"{of_profile} or {anyhow} or {recording.LATE_P50} > {STEADY_MS / 1000:g}"


def _silent() -> str:
    """Only of targets that have spoken: pods have other ports, too."""
    up = f"avg_over_time(up[{WINDOW}]) <= 0.5"
    spoke = "last_over_time(voiceroom_ready[15m])"
    return f"max by ({POD}) ({up} and on (job, instance, namespace, pod) {spoke})"


def _node_bad() -> str:
    causes = f'voiceroom_drift_cause{{cause=~"{_NODE_CAUSES}",node!=""}}'
    pods = recording.of_served(half_of_the_time(causes, "namespace, pod, node"))
    return f"count by (node) ({pods}) >= 2"


SYMPTOMS: Final = (
    _timing(
        Alert(
            "VoiceroomTicksLate",
            "critical",
            recording.of_served(_late()),
            f"Ticks of {_AT} are late",
            "p99 of lateness is over what the pool's spec.timing.profile allows "
            f"({_OF_PROFILES}), or the median over {STEADY_MS:g} ms; "
            "worst now: {{ $value | humanizeDuration }}. The rooms of this pod sound choppy.",
            "timing",
        )
    ),
    _timing(
        Alert(
            "VoiceroomTicksLost",
            "critical",
            recording.of_served(f"{recording.LOST} >= {LOST_SHARE:g}"),
            f"{_AT} loses ticks",
            "{{ $value | humanizePercentage }} of the ticks were skipped or a frame late: people "
            "hear gaps.",
            "timing",
        )
    ),
    _timing(
        Alert(
            "VoiceroomTicksStopped",
            "critical",
            recording.of_served(f"{rate('voiceroom_ticks_total')} == 0"),
            f"{_AT} does not mix",
            "It answers, and no tick was mixed for a minute: its rooms are silent.",
            "timing",
        )
    ),
    _timing(
        Alert(
            "VoiceroomMixerSilent",
            "critical",
            recording.of_served(_silent()),
            f"{_AT} does not answer",
            "Half of the last minute's scrapes failed. It stands still, its node does, or the "
            "network to it is cut.",
            "timing",
        )
    ),
)


def _of_cause(cause: str, name: str, summary: str, description: str) -> Alert:
    said = half_of_the_time(f'voiceroom_drift_cause{{cause="{cause}"}}', CAUSE)
    return _timing(
        Alert(
            name,
            "warning",
            recording.of_served(said),
            f"{_AT}: {summary}",
            description,
            "cause",
        )
    )


CAUSES: Final = (
    _of_cause(
        names.RATE,
        "VoiceroomClockRate",
        "the clock runs too fast or too slow",
        "The node's clock, read in two ways or held against the senders, has another rate. No "
        "tick is late by it, and everybody's audio drifts.",
    ),
    _of_cause(
        names.FREEZE,
        "VoiceroomFrozen",
        "it stands still again and again",
        "Ticks are late, all clocks agree, and no account says where the time went.",
    ),
    _of_cause(
        names.THROTTLE,
        "VoiceroomThrottled",
        "it has used up its own CPU quota",
        "Ticks are late by what the throttled time of the pod's own cgroup grew.",
    ),
    _of_cause(
        names.STARVED,
        "VoiceroomStarved",
        "it is runnable and gets no CPU",
        "Ticks are late by run-queue delay, by an ancestor's quota, or by steal.",
    ),
    _of_cause(
        names.GC,
        "VoiceroomGarbageCollection",
        "garbage collection holds the tick",
        "Ticks are late by what pauses of the collector grew.",
    ),
    _of_cause(
        names.GIL,
        "VoiceroomInterpreterHeld",
        "another thread holds the interpreter",
        "Ticks are late by the CPU time of other threads of the media process.",
    ),
    _of_cause(
        names.LOOP_BLOCK,
        "VoiceroomLoopBlocked",
        "one call holds the loop",
        "Time is lost inside own code without using CPU.",
    ),
    _of_cause(
        names.OVERLOAD,
        "VoiceroomOverloaded",
        "mixing takes longer than the frame",
        "The tick's own work does not fit: the fewest rooms move whose leaving cures it.",
    ),
)

CLOCKS: Final = (
    Alert(
        "VoiceroomClockStep",
        "warning",
        f"{increase(_STEPS, '5m', CAUSE)} >= 1",
        f"{_AT}: a clock jumped",
        "{{ $labels.cause }}: one clock (step-one), or all that can be read (step-all), jumped. "
        "Media goes on by CLOCK_MONOTONIC and bridges it.",
        "cause",
    ),
    _timing(
        Alert(
            "VoiceroomClockStepsRepeat",
            "critical",
            f"{increase(_STEPS, '5m', CAUSE)} >= 3",
            f"{_AT}: clocks jump again and again",
            "{{ $labels.cause }}: three times or more within five minutes.",
            "cause",
        )
    ),
    _timing(
        Alert(
            "VoiceroomNodeClockBad",
            "critical",
            _node_bad(),
            "Node {{ $labels.node }} does not keep time",
            "{{ $value }} mixer pods of it say that time is the node's fault.",
            "timing",
        )
    ),
    Alert(
        "VoiceroomNodeUnfit",
        "info",
        'max by (node, reason) (voiceroom_node_grade_info{grade="C",node!=""}) == 1',
        "Node {{ $labels.node }} is not fit for keeping time",
        "Grade C: {{ $labels.reason }}.",
        "timing",
        for_s=300,
    ),
)

TIMING_GROUP: Final = Group("voiceroom.timing", (*SYMPTOMS, *CAUSES, *CLOCKS), EVALUATION_S)
