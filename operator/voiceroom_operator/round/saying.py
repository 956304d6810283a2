"""Events. Reasons are stable; ``docs/operator.md`` lists them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from voiceroom_api import names
from voiceroom_operator.binding import words
from voiceroom_operator.binding.decisions import Decision, Unplaced
from voiceroom_operator.binding.request import Answer
from voiceroom_operator.canary import words as canary
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.events import Note
from voiceroom_operator.pool.actions import DeletePod
from voiceroom_operator.pool.actions import Note as PlanNote
from voiceroom_operator.remediation import words as drift

INVALID_SPEC: Final = "InvalidSpec"
PIN_MISSING: Final = "PinMissing"
POOL_MADE: Final = "PoolMade"
POD_CREATED: Final = "PodCreated"
POD_DELETED: Final = "PodDeleted"
POD_REFUSED: Final = "PodRefused"
MOVE_REFUSED: Final = "MoveRefused"
TAINT_NOT_ALLOWED: Final = "TaintNotAllowed"
DOCUMENT_REFUSED: Final = "DocumentRefused"
REASONS: Final[Mapping[str, str]] = {
    words.FIRST_BINDING: "a pod has the room",
    words.TWIN_CHOSEN: "another pod stands by for the room",
    words.TAKEN_OVER: "the twin took the room over by itself",
    words.TAKEN_BACK: "the pod that the room was to leave has it again by itself: the new one fell "
    "silent",
    words.MOVED: "the room has come to its new pod, as was planned",
    words.MOVE_GIVEN_UP: "a move took too long; the room stays where it was",
    words.SUCCESSOR_LOST: "the pod that was to have the room is gone or does not serve; the room "
    "stays where it was",
    words.POD_LOST: "the room's pod is gone or silent, and another has the room, or none",
    words.DRAIN_DEADLINE: "people were still in when the drain deadline passed",
    names.DRAIN: "the room left a pod that is being emptied",
    names.SPEC_CHANGED: "the room left its pod because of a changed spec, of the room or of the "
    "pool",
    names.CANARY: "a canary takes the room on, or gives it back",
    names.POOL_NOT_FOUND: "the room's pool is not there",
    names.NO_CAPACITY: "no pod can take the room, and the pool may have no more",
    INVALID_SPEC: "this operator cannot read the spec; what held before goes on",
    PIN_MISSING: "the Secret of spec.access.pinSecretRef, or its key, is not there: nobody gets in "
    "by PIN",
    POOL_MADE: "the pool default was made for a room that asked",
    POD_CREATED: "a mixer pod was made",
    POD_DELETED: "a mixer pod was ended, and why",
    POD_REFUSED: "the cluster does not take what the pool needs: its words, and what to change",
    DOCUMENT_REFUSED: "a mixer pod does not take what it was told",
    MOVE_REFUSED: "a person asked for a move that cannot be, and why",
    names.REQUESTED: "the room left its pod because a person asked for it",
    names.DRIFT: "the room left a pod that does not keep time",
    drift.POD_LEFT: "a pod that does not keep time is left and replaced",
    drift.NODE_LEFT: "a node that does not keep time is left, and gets nothing until it has",
    drift.WOULD_LEAVE: "a pod or a node would be left, or a CPU limit raised, if remediation.mode "
    "were not DryRun",
    drift.LIMIT_RAISED: "the CPU limit of a pod that its own quota throttles is raised in place",
    drift.LIMIT_SET: "the pod has the raised CPU limit: it reads it back from its cgroup",
    drift.LIMIT_NOT_SET: "a CPU limit was not raised in place, and why: the pod is left instead",
    drift.NODE_RELEASED: "a node that was left may have pods again",
    drift.UNCONFIRMED: "an alert names a pod, and it keeps time by the operator's own look",
    drift.BLOCKED: "a guard rail keeps a pod or a node from being left",
    TAINT_NOT_ALLOWED: "remediation.quarantine is Taint, and the operator may not patch nodes",
    **canary.EVENT_REASONS,
    "RolloutBlocked": "a new pod fits on no node, and every older one is needed",
    "PortsExhausted": "every port of the pool's range is dealt out on every node",
    "PortsTaken": "ports of the pool's range are used by something else",
}
"""What each means."""
_WARNINGS: Final = frozenset(
    {
        words.POD_LOST,
        words.TAKEN_OVER,
        words.TAKEN_BACK,
        words.DRAIN_DEADLINE,
        words.MOVE_GIVEN_UP,
        words.SUCCESSOR_LOST,
    }
)


def decided(room: Body, decision: Decision, why: str = "") -> Note:
    """A change of a room's binding; ``why``: a person's words, where one asked for it."""
    kind: Literal["Normal", "Warning"] = "Warning" if decision.reason in _WARNINGS else "Normal"
    match decision.action:
        case "Release":
            said = f"pod {decision.previous} has it no more"
        case "Twin":
            said = f"pod {decision.twin} is its twin"
        case "Stay":
            said = f"pod {decision.pod} keeps it"
        case "Move":
            said = f"from pod {decision.previous} to {decision.pod}"
        case _:
            is_new = decision.previous not in ("", decision.pod)
            came = f", from {decision.previous}" if is_new else ""
            said = f"pod {decision.pod} has it{came}"
    asked = f" ({why})" if why and decision.reason == names.REQUESTED else ""
    return Note(room, kind, decision.reason, f"{said}, epoch {decision.epoch}{asked}")


def move_refused(room: Body, answer: Answer) -> Note:
    """A person asked for a move that cannot be."""
    return Note(room, "Warning", MOVE_REFUSED, f"request {answer.id}: {answer.message}")


def unplaced(room: Body, why: Unplaced) -> Note:
    """Nobody can take the room."""
    return Note(room, "Warning", why.reason, why.message)


def created(pool: Body, pod: str) -> Note:
    """A pod was made."""
    return Note(pool, "Normal", POD_CREATED, f"pod {pod}")


def deleted(pool: Body, death: DeletePod) -> Note:
    """A pod was ended."""
    return Note(pool, "Normal", POD_DELETED, f"pod {death.name}: {death.reason}")


def planned(pool: Body, notes: Iterable[PlanNote]) -> Iterable[Note]:
    """Why a pool's plan is as it is."""
    return (Note(pool, "Warning", note.reason, note.message) for note in notes)


def pool_made(pool: Body) -> Note:
    """The pool ``default``."""
    return Note(pool, "Normal", POOL_MADE, "for a room that named no other pool")


def pin_missing(room: Body, secret: str, key: str) -> Note:
    """Tokens are the only way in."""
    message = f"there is no Secret {secret} with the key {key}: nobody gets in by PIN"
    return Note(room, "Warning", PIN_MISSING, message)


def invalid(body: Body, problems: Iterable[str]) -> Note:
    """A spec that this operator cannot read."""
    return Note(body, "Warning", INVALID_SPEC, "; ".join(problems))
