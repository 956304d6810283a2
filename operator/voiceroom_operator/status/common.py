"""Conditions that rooms and pools share."""

from __future__ import annotations

from voiceroom_api import names
from voiceroom_operator.status.conditions import Condition, truth
from voiceroom_operator.status.facts import Granted, Remedy, Timeliness


def realtime_granted(realtime: Granted) -> Condition:
    """Nothing is claimed that no pod has said."""
    reason = {True: names.GRANTED, None: names.NOT_REPORTED}.get(realtime.granted, realtime.reason)
    return Condition(
        names.REALTIME_GRANTED, truth(realtime.granted), reason, realtime.message or realtime.mode
    )


def timing_healthy(timing: Timeliness) -> Condition:
    """The verdict, when there is one, is the reason."""
    if fault := timing.fault():
        known = fault if fault in (names.LATE, names.NO_ANSWER) else names.verdict_reason(fault)
        reason, healthy = known, False
    elif timing.p99_ms is None:
        return Condition(names.TIMING_HEALTHY, "Unknown", names.NOT_REPORTED, timing.message)
    else:
        reason, healthy = names.ON_TIME, True
    return Condition(names.TIMING_HEALTHY, truth(healthy), reason, timing.message)


def remediation_blocked(remedy: Remedy) -> Condition:
    """True is the bad answer here."""
    return Condition(
        names.REMEDIATION_BLOCKED, truth(remedy.blocked), remedy.reason, remedy.message
    )
