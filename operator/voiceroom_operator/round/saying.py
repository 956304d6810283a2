"""Events of a round. Reasons are stable; ``docs/operator.md`` lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from voiceroom_api import names
from voiceroom_operator.binding.decisions import Decision, Unplaced
from voiceroom_operator.binding.request import Answer
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.events import Note
from voiceroom_operator.pool.actions import DeletePod
from voiceroom_operator.pool.actions import Note as PlanNote

INVALID_SPEC: Final = "InvalidSpec"
PIN_MISSING: Final = "PinMissing"
POOL_MADE: Final = "PoolMade"
POD_CREATED: Final = "PodCreated"
POD_DELETED: Final = "PodDeleted"
POD_REFUSED: Final = "PodRefused"
MOVE_REFUSED: Final = "MoveRefused"
DOCUMENT_REFUSED: Final = "DocumentRefused"
_WARNINGS: Final = frozenset({"PodLost", "TakenOver", "DrainDeadline"})


def decided(room: Body, decision: Decision, why: str = "") -> Note:
    """A change of a room's binding; ``why``: a person's words, where one asked for it."""
    kind: Literal["Normal", "Warning"] = "Warning" if decision.reason in _WARNINGS else "Normal"
    match decision.action:
        case "Release":
            words = f"pod {decision.previous} has it no more"
        case "Twin":
            words = f"pod {decision.twin} is its twin"
        case "Move":
            words = f"from pod {decision.previous} to {decision.pod}"
        case _:
            came = f", from {decision.previous}" if decision.previous else ""
            words = f"pod {decision.pod} has it{came}"
    asked = f" ({why})" if why and decision.reason == names.REQUESTED else ""
    return Note(room, kind, decision.reason, f"{words}, epoch {decision.epoch}{asked}")


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


def invalid(body: Body, problems: Iterable[str]) -> Note:
    """A spec that this operator cannot read."""
    return Note(body, "Warning", INVALID_SPEC, "; ".join(problems))
