"""The ways out: leaving, being kicked, being replaced, ending, and a room that closes."""

from __future__ import annotations

from typing import Final

from voiceroom_mixer.control.rooms.context import ControlClock, Publish
from voiceroom_mixer.control.rooms.legs import LegBook
from voiceroom_mixer.control.rooms.registry import Leg, Registry, Room
from voiceroom_mixer.control.rooms.revoked import RevokedTokens
from voiceroom_mixer.control.service import Claims
from voiceroom_mixer.core.state import layout

END_REASONS: Final = {
    layout.END_NONE: "ended",
    layout.END_TIMEOUT: "timeout",
    layout.END_UNREACHABLE: "unreachable",
    layout.END_REMOVED: "removed",
    layout.END_FAULT: "fault",
}
"""In event ``left``; beside these ``left``, ``dtls_closed``, ``dtls_failed``, ``replaced``,
``kicked``, ``closed``, ``moved``, ``lost``."""
LEGS_EACH: Final = 3
"""Of one participant at a time; two are the rule while one replaces the other."""
FINAL: Final = frozenset({"kicked", "closed", "replaced"})
"""Who goes like this may not come back as the same participant."""


class Leaving:
    """Takes legs out of their rooms and tells everybody."""

    def __init__(
        self,
        registry: Registry,
        book: LegBook,
        revoked: RevokedTokens,
        publish: Publish,
        clock: ControlClock,
    ) -> None:
        self._registry = registry
        self._book = book
        self._revoked = revoked
        self._publish = publish
        self._clock = clock

    def leave(self, leg: Leg, reason: str) -> None:
        """The leg is out; event ``left``. A second call for the same leg changes nothing."""
        if leg.room.legs.get(leg.id) is not leg:
            return
        if leg.handshake is not None:
            leg.handshake.close()
            leg.handshake = None
        self._book.drop(leg)
        self._registry.counters[f"left_{reason}"] += 1
        if reason not in FINAL and leg.state.kind == "webrtc":  # a gateway never replaces a leg
            self._registry.remember(leg.state, self._clock.now_ns())
        if reason != "closed":  # the room's own event has said it, and is its last
            data = {"id": leg.id, "identity": leg.state.identity, "reason": reason}
            self._publish(leg.room.name, "left", data)

    def ended(self, leg: Leg, reason: int) -> None:
        """Media has let go of it (``layout.END_*``)."""
        self.leave(leg, END_REASONS.get(reason, "ended"))

    def kick(self, leg: Leg, by: Claims) -> None:
        """The person is out with every leg, and may not come back with the tokens of these.

        A plain-RTP leg was made with a moderator's token, which stays good; so does the kicker's.
        """
        for one in leg.room.legs_of(leg.state.participant):
            state = one.state
            if state.kind == "webrtc" and state.jti != by.jti:
                self._revoked.add(state.jti, state.expires_s)
            data = {"id": one.id, "identity": state.identity, "by": by.sub}
            self._publish(one.room.name, "kicked", data)
            self.leave(one, "kicked")
        self._registry.forget_participant(leg.state.participant)

    def kick_all(self, room: Room, by: Claims) -> int:
        """Everybody; how many legs."""
        legs = list(room.legs.values())
        for leg in legs:
            if leg.id in room.legs:
                self.kick(leg, by)
        return len(legs)

    def make_way(self, leg: Leg) -> None:
        """A replacing leg has been made: an attempt before it that has not connected is dropped,
        and so is the oldest of too many legs of one person."""
        before = [one for one in leg.room.legs_of(leg.state.participant) if one is not leg]
        for one in before:
            if one.connect_by_ns:
                self.leave(one, "replaced")
        connected = [one for one in before if not one.connect_by_ns]
        for one in connected[: max(0, len(connected) + 1 - LEGS_EACH)]:
            self.leave(one, "replaced")

    def changed_over(self, leg: Leg) -> None:
        """The replacing leg is heard: those that the person had before are done."""
        leg.changed_over = True
        for one in leg.room.legs_of(leg.state.participant):
            if one is leg:
                break
            self.leave(one, "replaced")
        self._registry.forget(leg.state.replaces)

    def hand_over_room(self, room: Room) -> None:
        """Another pod runs the room from now on: whoever is in has to join there. No event
        ``closed``, which would keep people from coming back."""
        for leg in list(room.legs.values()):
            self.leave(leg, "moved")
        room.link.clear_room(room.state)
        del self._registry.rooms[room.name]

    def close_room(self, room: Room) -> None:
        """The room is over: event ``closed``, then nobody is in and it is not found any more."""
        self._publish(room.name, "closed", {})
        for leg in list(room.legs.values()):
            self.leave(leg, "closed")
        room.link.clear_room(room.state)
        del self._registry.rooms[room.name]
