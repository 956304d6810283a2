"""Reasons of ``status.canary``, Events, and what they say. Once released they do not change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from voiceroom_api import names
from voiceroom_api.duration import format_duration
from voiceroom_operator.canary.case import Order, Trouble, Wish
from voiceroom_operator.canary.gate import Gate
from voiceroom_operator.canary.indicators import Name
from voiceroom_operator.canary.record import Phase, Record
from voiceroom_operator.status.conditions import timestamp

WAITING_FOR_POD: Final = names.WAITING_FOR_POD
POOL_NOT_FOUND: Final = names.POOL_NOT_FOUND
OF_IS_CANARY: Final = "OfIsCanary"
ANOTHER_CANARY: Final = "AnotherCanary"
PAUSED: Final = names.PAUSED
OBSERVING: Final = "Observing"
NO_POD: Final = "NoPod"
TOO_FEW: Final = "TooFewSamples"
GATE_PASSED: Final = "GatePassed"
REQUESTED: Final = names.REQUESTED
REFUSED: Final = "PromotionRefused"
ROLLING: Final = "Rolling"
ROLLED_OUT: Final = "RolledOut"
NOT_READY: Final = "NotReady"
CRASHED: Final = "Crashed"
OVERRULED: Final = "Overruled"
BAD: Final[Mapping[Name, str]] = {
    "Lateness": "LatenessAboveLimit",
    "Jitter": "JitterShareTooLow",
    "Recoveries": "RecoveryShareTooLow",
}
REASONS: Final[Mapping[str, str]] = {
    WAITING_FOR_POD: "no pod of the canary is ready yet",
    POOL_NOT_FOUND: "there is no MixerPool of the name spec.canary.of, or it is being deleted",
    OF_IS_CANARY: "the pool that spec.canary.of names is a canary itself",
    ANOTHER_CANARY: "an older canary of the same pool is there: one at a time",
    PAUSED: "spec.canary.paused is set: nothing is decided",
    OBSERVING: "gate.observe has not passed yet",
    NO_POD: "no pod of the canary is in service for the moment; its rooms are in the other pool",
    TOO_FEW: "gate.observe has passed, and there are not samples enough to decide",
    GATE_PASSED: "all three indicators are good",
    REQUESTED: f"a person has decided ({names.CANARY_ANNOTATION})",
    REFUSED: "the API server does not take the other pool's spec as it would be",
    ROLLING: "the other pool replaces its pods",
    ROLLED_OUT: "all pods of the other pool have the canary's image and settings",
    NOT_READY: "no pod of the canary was in service for gate.deadline",
    CRASHED: "containers of the canary's pods began anew more often than gate.maxRestarts",
    OVERRULED: "somebody else changed the other pool's spec while it was promoted",
    BAD["Lateness"]: "the 99th percentile of tick lateness is not below its limit",
    BAD["Jitter"]: "the share of jitter of at most 30 ms is not above gate.jitter.minShare",
    BAD["Recoveries"]: "too few faults of time were recovered from within 10 s",
}
"""What each means."""

CANARY_REFUSED: Final = "CanaryRefused"
EVENTS: Final[Mapping[Phase, str]] = {
    "Observing": "CanaryObserving",
    "Promoting": "CanaryPromoting",
    "Promoted": "CanaryPromoted",
    "RolledBack": "CanaryRolledBack",
}
EVENT_REASONS: Final[Mapping[str, str]] = {
    "CanaryObserving": "a canary has begun to run its share of rooms",
    "CanaryPromoting": "a canary has passed its gate: the other pool is given its image",
    "CanaryPromoted": "the other pool has the canary's image on all pods",
    "CanaryRolledBack": "a canary was given up, and why: its rooms go back",
    CANARY_REFUSED: "a decision about a canary, or its promotion, cannot be carried out, and why",
}
NOTHING_YET: Final = "nothing was measured yet"


def waiting(name: str) -> str:
    """For the first pod."""
    return f"no pod of MixerPool {name} is ready yet: no room is moved before"


def not_found(of: str) -> Trouble:
    """The other pool is missing."""
    return Trouble(POOL_NOT_FOUND, f"there is no MixerPool {of} whose rooms could be shared")


def of_is_canary(of: str) -> Trouble:
    """A canary of a canary."""
    return Trouble(OF_IS_CANARY, f"MixerPool {of} is a canary itself")


def another(other: str, of: str) -> Trouble:
    """One at a time."""
    return Trouble(ANOTHER_CANARY, f"MixerPool {other} is the canary of {of}: one at a time")


def paused(reason: str) -> str:
    """A person's words."""
    return f"spec.canary.paused: {reason}"


def observing(of: str, percent: int) -> str:
    """It begins."""
    return f"runs {percent} % of the rooms of MixerPool {of}"


def until(ends_s: float) -> str:
    """Of ``gate.observe``."""
    return f"is observed until {timestamp(ends_s)} at least"


def no_pod(of: str) -> str:
    """For the moment."""
    return f"no pod is in service: rooms are in MixerPool {of} meanwhile"


def unready(gate: Gate) -> str:
    """For too long."""
    return f"no pod was in service for {format_duration(gate.deadline_s)} (gate.deadline)"


def crashed(restarts: int, most: int) -> str:
    """Too often."""
    return f"containers began anew {restarts} times, and gate.maxRestarts is {most}"


def rolling(of: str) -> str:
    """The other pool."""
    return f"MixerPool {of} has the spec, and replaces its pods"


def promoted(of: str) -> str:
    """It is done."""
    return f"all pods of MixerPool {of} have it; rooms go back to them"


def overruled(of: str) -> str:
    """Somebody else wants something else."""
    return f"the spec of MixerPool {of} was changed by somebody else while it was rolled out"


def asked(order: Order) -> str:
    """A person's decision."""
    return f"decision {order.id}" + (f": {order.why}" if order.why else "")


def against(wish: Wish, record: Record, trouble: Trouble | None) -> str:
    """Why it cannot be carried out; empty = it can."""
    if wish == "Promote" and trouble is not None:
        return trouble.message
    if wish == "Promote" and record.phase in ("Promoting", "Promoted"):
        return f"it is {record.phase} already"
    if wish == "RollBack" and record.phase in ("Promoting", "Promoted", "RolledBack"):
        return _NO_WAY_BACK.get(record.phase, "it is rolled back already")
    return ""


_NO_WAY_BACK: Final[Mapping[Phase, str]] = dict.fromkeys(
    ("Promoting", "Promoted"),
    "the other pool has the new spec: give it its former one again where it was written",
)
