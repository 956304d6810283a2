"""Conditions that rooms and pools share."""

from __future__ import annotations

from voiceroom_api import names
from voiceroom_api.diagnosis import REMEDIES, SILENT_REMEDY
from voiceroom_operator.status.conditions import Condition, truth
from voiceroom_operator.status.facts import Granted, Remedy, Timeliness


def realtime_granted(realtime: Granted) -> Condition:
    """Nothing is claimed that no pod has said."""
    reason = {True: names.GRANTED, None: names.NOT_REPORTED}.get(realtime.granted, realtime.reason)
    return Condition(
        names.REALTIME_GRANTED, truth(realtime.granted), reason, realtime.message or realtime.mode
    )


def timing_healthy(timing: Timeliness) -> Condition:
    """The verdict, when there is one, is the reason; evidence and remedy are the message."""
    if fault := timing.fault():
        known = fault if fault in (names.LATE, names.NO_ANSWER) else names.verdict_reason(fault)
        words = ". ".join(filter(None, (timing.message, _remedy(fault))))
        return Condition(names.TIMING_HEALTHY, "False", known, words)
    if timing.p99_ms is None:
        return Condition(names.TIMING_HEALTHY, "Unknown", names.NOT_REPORTED, timing.message)
    return Condition(names.TIMING_HEALTHY, "True", names.ON_TIME, timing.message)


def _remedy(fault: str) -> str:
    return SILENT_REMEDY if fault == names.NO_ANSWER else REMEDIES.get(fault, REMEDIES[""])


def remediation_blocked(remedy: Remedy) -> Condition:
    """True is the bad answer here."""
    return Condition(
        names.REMEDIATION_BLOCKED, truth(remedy.blocked), remedy.reason, remedy.message
    )
