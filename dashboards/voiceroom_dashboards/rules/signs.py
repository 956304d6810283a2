"""Alerts about what comes before trouble: the network to people, and the machine.

For people: the operator acts on time that is lost, and none of these is that yet.
"""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.promql import (
    EVALUATION_S,
    KEEP_S,
    increase,
    quantile,
    rate,
)

RTT_S: Final = 0.1
"""Of half of the checks: one person far away is no alert."""
STEAL_SHARE: Final = 0.1
"""The diagnosis asks at 2 %, when time is lost already; a shared machine has that all day."""
_LONG: Final = "5m"
"""What happens once is told for so long."""
_AT: Final = "{{ $labels.namespace }}/{{ $labels.pod }} on {{ $labels.node }}"


NETWORK: Final = (
    Alert(
        "VoiceroomReconnectStorm",
        "warning",
        f"{increase('voiceroom_reconnect_storms_total', _LONG)} >= 1",
        f"People of {_AT} come back again and again",
        "{{ $value | humanize }} of them three times or more within a minute, by a new connection "
        "or another path: they hear gaps.",
        "room",
        keep_s=KEEP_S,
    ),
    Alert(
        "VoiceroomRoundTripLong",
        "warning",
        f"{quantile(0.5, 'voiceroom_stun_rtt_seconds')} > {RTT_S:g}",
        f"It is far from {_AT} to its people",
        "Half of the STUN checks take {{ $value | humanizeDuration }} or longer there and back. "
        "Nothing of the mixer's is in that time but the kernel's: it is the way, or a queue on it.",
        "room",
        for_s=60,
        keep_s=KEEP_S,
    ),
)

MACHINE: Final = (
    Alert(
        "VoiceroomClockSourceSwitched",
        "warning",
        f"{increase('voiceroom_clocksource_changes_total', _LONG)} >= 1",
        f"The kernel under {_AT} took another clock source",
        "It does so when it trusts the one before no longer. Reading the time may cost many times "
        "more from now on, and the node's grade falls.",
        "timing",
        keep_s=KEEP_S,
    ),
    Alert(
        "VoiceroomStolen",
        "warning",
        f"{rate('voiceroom_steal_seconds_total')} > {STEAL_SHARE:g}",
        f"The hypervisor takes CPUs away from {_AT}",
        "{{ $value | humanizePercentage }} of the time of the CPUs that it may use went to other "
        "machines.",
        "timing",
        for_s=60,
        keep_s=KEEP_S,
    ),
)

SIGNS: Final = Group("voiceroom.signs", (*NETWORK, *MACHINE), EVALUATION_S)
