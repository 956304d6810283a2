"""What the binding plan consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from voiceroom_operator.binding.request import Answer
from voiceroom_operator.observed import MoveSeen, RoomSeen
from voiceroom_operator.pool.crew import Demand

Action = Literal["Bind", "Move", "Adopt", "Twin", "Release", "Stay"]


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of a room's binding, to be written to its status before any pod hears of it.

    Bind: ``pod`` has the room from now on. Move: ``pod`` is to take it over from ``previous``
    without a gap. Adopt: ``pod`` has taken it over by itself; it is only recorded. Twin: ``pod``
    keeps it, ``twin`` is new. Release: nobody has it (``pod`` is empty). Stay: the move that was
    under way is given up, ``pod`` keeps it under a number above that of the move.
    """

    action: Action
    room: str
    uid: str
    pod: str
    epoch: int
    twin: str
    previous: str
    reason: str
    """CamelCase, for the event."""


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A room that no pod can take now."""

    room: str
    pool: str
    reason: str
    """The condition's reason."""
    message: str
    """What to change."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A room that stays where it is, though it ought to be elsewhere."""

    room: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class BindingPlan:
    """What to do next: ``occupy`` first, then the decisions, in their order."""

    decisions: tuple[Decision, ...] = ()
    occupy: tuple[str, ...] = ()
    """Pods whose label must say that they are occupied before any decision is carried out."""
    unplaced: tuple[Unplaced, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """To people who asked for a move, by room; of those that are begun the decision tells."""
    make_default_pool: bool = False
    """A room asks for the pool ``default``, and it was never made here."""
    demand: Mapping[str, Demand] = field(default_factory=dict)
    """Of each pool: rooms that found no pod."""
    bound: Mapping[str, int] = field(default_factory=dict)
    """Rooms of each pod once the decisions are carried out."""
    requeue_after_s: float | None = None

    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.decisions or self.occupy or self.make_default_pool)


def carried_out(room: RoomSeen, decision: Decision) -> RoomSeen:
    """The room once ``decision`` is on record."""
    if decision.action == "Move":
        move = MoveSeen(decision.pod, decision.epoch, f"move-{decision.epoch}", decision.reason)
        return replace(room, move=move, saw_pool=True)
    return replace(
        room,
        pod=decision.pod,
        epoch=decision.epoch,
        twin=decision.twin,
        move=None,
        legs=0 if decision.action == "Release" else room.legs,
        saw_pool=True,
    )
