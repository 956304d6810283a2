"""Alerts about rooms, moves, the operator, and monitoring itself: for people, nothing acts."""

from __future__ import annotations

from typing import Final

from voiceroom_api import names
from voiceroom_dashboards.rules import recording
from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.promql import (
    EVALUATION_S,
    KEEP_S,
    POOL,
    increase,
    of_leader,
    rate,
)

STALLED_S: Final = 0.5
"""So late an operator's event loop leaves the Lease to another."""
REFILLS_PER_LEG: Final = 0.2
"""Per second: each leg's buffer runs dry every five seconds."""
REFILLS: Final = 1.0
"""Per second and pod: one leg with a bad network is no storm."""
_POOL: Final = "Pool {{ $labels.namespace }}/{{ $labels.pool }}"
_POD: Final = "{{ $labels.namespace }}/{{ $labels.pod }}"
_OPERATOR: Final = "namespace, pod"
_HELD: Final = "|".join(
    (
        names.NO_CANDIDATE_NODE,
        names.BUDGET_EXHAUSTED,
        names.COOLDOWN_ACTIVE,
        names.PAUSED,
        names.DRY_RUN,
        names.SWITCHED_OFF,
    )
)
_TAKEN: Final = 'voiceroom_rooms_changed_total{how="taken"}'
_REFUSED: Final = "malformed|unauthorized|too_large|dropped"


def _rooms(phases: str) -> str:
    selector = f'{{phase=~"{phases}"}}'
    shown = of_leader(f"voiceroom_operator_rooms{selector}")
    return f"max by (namespace, phase) {shown} > 0"


def _blocked(reasons: str) -> str:
    return of_leader(f'voiceroom_operator_remediation_blocked{{reason=~"{reasons}"}}')


def _failing() -> str:
    rounds = "voiceroom_operator_reconciles_total"
    failed = rate(f'{rounds}{{result!="ok"}}', "5m", _OPERATOR)
    return f"{failed} / {rate(rounds, '5m', _OPERATOR)} > 0.5"


def _stuck() -> str:
    waiting = f"min by ({_OPERATOR}) (min_over_time(voiceroom_operator_queue_depth[2m])) > 0"
    rounds = rate("voiceroom_operator_reconciles_total", "2m", _OPERATOR)
    return f"{waiting} and {rounds} == 0"


def _unscraped() -> str:
    """Ready mixers less those that are scraped; every pool of the namespace counts."""
    shown = of_leader('voiceroom_operator_pool_pods{state="ready"}')
    pods = f"max by ({POOL}) {shown}"
    ready = f"sum by (namespace) ({pods})"
    return f"{ready} - (count by (namespace) (voiceroom_ready) or 0 * {ready}) > 0"


ROOMS: Final = Group(
    "voiceroom.rooms",
    (
        Alert(
            "VoiceroomJitterBufferRefillStorm",
            "warning",
            f"{recording.REFILLS} > {REFILLS_PER_LEG:g} and "
            f"{rate('voiceroom_jb_refill_timeouts_total')} > {REFILLS:g}",
            f"Jitter buffers of {_POD} on {{{{ $labels.node }}}} run dry",
            "{{ $value | humanize }} times per leg and second: packets of many senders come in "
            "bursts, or not at all.",
            "timing",
            for_s=30,
            keep_s=KEEP_S,
        ),
        Alert(
            "VoiceroomHeadroomLow",
            "warning",
            f"min by ({POOL}) {of_leader('voiceroom_operator_pool_headroom_ratio')} < 0.2",
            f"{_POOL} has little headroom",
            "In its worst pod only {{ $value | humanizePercentage }} of the frame are free at p99.",
            "fleet",
            for_s=300,
        ),
        Alert(
            "VoiceroomRoomsNotServed",
            "critical",
            _rooms("|".join((names.PENDING, names.DEGRADED, names.FAILED))),
            "Rooms of {{ $labels.namespace }} are {{ $labels.phase }}",
            "{{ $value }} of them, for five minutes.",
            "fleet",
            for_s=300,
        ),
        Alert(
            "VoiceroomMoveFailed",
            "warning",
            _rooms(names.MOVING),
            "Moves of rooms in {{ $labels.namespace }} do not end",
            "{{ $value }} rooms are Moving for two minutes; a move takes a second or two.",
            "operator",
            for_s=120,
        ),
        Alert(
            "VoiceroomRoomsTakenOver",
            "warning",
            f"{increase(_TAKEN, '5m')} >= 1",
            f"{_POD} took rooms over",
            '{{ $value | printf "%.0f" }} of them, without the word of the pod that had them: it '
            "was gone or stood still. The cause is to be looked for there, not here.",
            "fleet",
        ),
    ),
    EVALUATION_S,
)
REMEDIATION: Final = Group(
    "voiceroom.remediation",
    (
        Alert(
            "VoiceroomStormStopped",
            "critical",
            f"max by ({POOL}) {_blocked(names.STORM_ACTIVE)} == 1",
            f"{_POOL}: nothing is moved, too many pods are late at once",
            "Pods are late on more nodes than `spec.remediation.stormPercent` allows. The cause is "
            "common to all, and moving rooms would only add to it.",
            "operator",
        ),
        Alert(
            "VoiceroomRemediationBlocked",
            "warning",
            f"max by ({POOL}, reason) {_blocked(_HELD)} == 1",
            f"{_POOL}: what does not keep time is not left ({{{{ $labels.reason }}}})",
            "A guard rail holds it back for a minute now.",
            "operator",
            for_s=60,
        ),
    ),
    EVALUATION_S,
)
OPERATOR: Final = Group(
    "voiceroom.operator",
    (
        Alert(
            "VoiceroomOperatorNoLeader",
            "critical",
            "absent(voiceroom_operator_leader == 1)",
            "No operator leads",
            "Rooms go on, and none is bound, moved or remedied. Also when the operator is not "
            "scraped at all.",
            "operator",
            for_s=60,
        ),
        Alert(
            "VoiceroomOperatorStalled",
            "critical",
            _stuck(),
            f"The operator {_POD} stands still",
            "{{ $value }} namespaces wait, and none was reconciled for two minutes.",
            "operator",
            for_s=30,
        ),
        Alert(
            "VoiceroomOperatorLate",
            "warning",
            f"max by ({_OPERATOR}) (voiceroom_operator_loop_lateness_seconds) > {STALLED_S:g}",
            f"The operator {_POD} does not keep time itself",
            "Its event loop was {{ $value | humanizeDuration }} late. One that leads gives the "
            "Lease up.",
            "operator",
            for_s=60,
        ),
        Alert(
            "VoiceroomOperatorFailing",
            "warning",
            _failing(),
            f"Most reconciles of the operator {_POD} fail",
            "{{ $value | humanizePercentage }} of them in five minutes.",
            "operator",
            for_s=300,
        ),
        Alert(
            "VoiceroomAlertsRefused",
            "warning",
            increase(f'voiceroom_operator_alerts_total{{result=~"{_REFUSED}"}}', "5m", "result")
            + " >= 1",
            "The operator refuses alerts ({{ $labels.result }})",
            "Where the own look is off, rooms are moved by alerts alone, and these did not count.",
            "operator",
        ),
    ),
    EVALUATION_S,
)
PIPELINE: Final = Group(
    "voiceroom.pipeline",
    (
        Alert(
            "VoiceroomWatchdog",
            "none",
            "vector(1)",
            "Monitoring of voiceroom works",
            "It always fires: route it to what raises the alarm when it stops coming.",
            "fleet",
        ),
        Alert(
            "VoiceroomMixersNotScraped",
            "warning",
            _unscraped(),
            "Mixers of {{ $labels.namespace }} are not scraped",
            "{{ $value }} ready pods give Prometheus no metrics: nothing alerts about their time.",
            "fleet",
            for_s=300,
        ),
    ),
    EVALUATION_S,
)
