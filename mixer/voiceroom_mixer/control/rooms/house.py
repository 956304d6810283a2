"""What all the doers share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from voiceroom_mixer.control.rooms.context import ControlClock, Entropy, Publish
from voiceroom_mixer.control.rooms.leaving import Leaving
from voiceroom_mixer.control.rooms.legs import LegBook
from voiceroom_mixer.control.rooms.reconnects import Reconnects
from voiceroom_mixer.control.rooms.registry import Leg, Registry, Room
from voiceroom_mixer.control.rooms.revoked import RevokedTokens
from voiceroom_mixer.control.signalling.candidates import (
    FIRST_PRIORITY,
    PRIORITY_STEP,
    Advertised,
    Candidate,
)


@dataclass(frozen=True, slots=True)
class Twin:
    """A pod that answers list behind our own addresses."""

    pod: str = ""
    addresses: tuple[tuple[str, int], ...] = ()

    def behind(self, own: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """All candidates of an answer, in falling priority."""
        low = own[-1].priority if own else FIRST_PRIORITY
        listed = enumerate(self.addresses, 1)
        theirs = (Candidate(ip, port, low - i * PRIORITY_STEP) for i, (ip, port) in listed)
        return (*own, *theirs)


NO_TWIN: Final = Twin()


@dataclass(slots=True)
class House:
    """The rooms of this process and the tools to change them.

    ``advertised`` and ``limit`` are replaced when the operator says so, nothing else is.
    """

    registry: Registry
    book: LegBook
    leaving: Leaving
    revoked: RevokedTokens
    publish: Publish
    clock: ControlClock
    entropy: Entropy
    advertised: Sequence[Advertised]
    """Of each media process, by its index."""
    limit: int
    """Participants that this pod may hold."""
    twin: Callable[[Room], Twin] = lambda _: NO_TWIN
    """The pod that stands by for a room now, as far as answers list it."""
    reconnects: Reconnects = field(default_factory=Reconnects)

    def came_back(self, leg: Leg, how: str) -> None:
        """Count it: ``how`` is ``rejoins`` or ``ice_restarts``."""
        counters, now_ns = self.registry.counters, self.clock.now_ns()
        counters[how] += 1
        if how == "rejoins" or not self.reconnects.was_asked(leg.room.name, now_ns):
            counters["reconnect_storms"] += self.reconnects.note(leg.state.participant, now_ns)
