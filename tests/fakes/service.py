"""A ``RoomHouse`` without media: rooms and legs in dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from voiceroom_mixer.control.service import ApiError, Claims, Joined


@dataclass
class FakeLeg:
    """One leg, and the token that made it."""

    id: str
    jti: str
    identity: str
    level: int = -127
    talking: bool = False
    muted: bool = False

    def to_json(self) -> dict[str, Any]:
        """A participant, as far as HTTP is concerned."""
        return {"id": self.id, "identity": self.identity, "muted": self.muted}


@dataclass
class FakeRooms:
    """Remembers what it was asked; ``refuse`` is raised by the next join."""

    rooms: dict[str, dict[str, FakeLeg]] = field(default_factory=lambda: {"lobby": {}, "hall": {}})
    revoked: set[str] = field(default_factory=set)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    refuse: Exception | None = None
    draining: bool = False
    say_bye: bool = True
    on_leg_count: Callable[[], None] = lambda: None
    handshakes: list[float] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    def add(self, room: str, leg: str, *, jti: str = "", identity: str = "ann") -> FakeLeg:
        """Put a leg into a room."""
        made = FakeLeg(leg, jti, identity)
        self.rooms[room][leg] = made
        return made

    def _leg(self, room: str, leg: str) -> FakeLeg:
        if leg not in self.rooms.get(room, {}):
            raise ApiError(404, "no_leg", "this leg is not in the room (any more)")
        return self.rooms[room][leg]

    async def join(
        self,
        room: str,
        claims: Claims,
        offer: str,
        *,
        mode: Literal["whip", "whep"],
        replaces: str | None,
        name: str = "",
    ) -> Joined:
        """A leg ``leg-N``; the answer echoes the offer."""
        self.asked.append(("join", (room, claims, offer, mode, replaces, name)))
        if self.refuse is not None:
            raise self.refuse
        leg = f"leg-{len(self.rooms[room]) + 1}"
        self.add(room, leg, jti=claims.jti, identity=claims.sub)
        return Joined(leg, '"tag-1"', "answer to " + offer)

    async def patch_ice(
        self, room: str, leg: str, sdpfrag: str, if_match: str | None
    ) -> Joined | None:
        """RFC 9725's four answers."""
        self._leg(room, leg)
        if if_match is None:
            raise ApiError(428, "if_match_required", "send If-Match")
        if if_match not in ("*", '"tag-1"'):
            raise ApiError(412, "stale_etag", "the ICE session is another by now")
        return Joined(leg, '"tag-2"', "a=ice-ufrag:new\r\n") if if_match == "*" else None

    async def add_rtp_leg(
        self, room: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Refuses a port that is taken."""
        self.asked.append(("add_rtp_leg", body))
        if body.get("port") == 409:
            raise ApiError(409, "taken", "this ip:port has a leg already")
        self.add(room, "rtp-1", jti=claims.jti)
        answer = {"ip": "127.0.0.1", "port": 7882, "payloadType": 111, "ssrc": 1}
        return {"id": "rtp-1", **answer}

    async def patch_leg(
        self, room: str, leg: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """``muted``, and 422 for a ``gainDb`` out of range."""
        found = self._leg(room, leg)
        if abs(body.get("gainDb", 0)) > 60:
            raise ApiError(422, "invalid_field", "gainDb must be -60..20", field="gainDb")
        found.muted = bool(body.get("muted", found.muted))
        return found.to_json()

    async def remove_leg(self, room: str, leg: str, claims: Claims) -> None:
        """Out; somebody else's token is refused from then on."""
        found = self._leg(room, leg)
        if found.jti != claims.jti:
            self.revoked.add(found.jti)
        del self.rooms[room][leg]

    async def remove_all(self, room: str, claims: Claims) -> int:
        """Everybody out."""
        count = len(self.rooms[room])
        self.rooms[room].clear()
        return count

    async def patch_room(
        self, room: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Echoes the change."""
        return {"name": room, **body}

    def leg_token_owner(self, room: str, leg: str) -> str:
        """The jti that made it."""
        return self._leg(room, leg).jti

    def room_exists(self, room: str) -> bool:
        """Whether there is such a room."""
        return room in self.rooms

    def rooms_json(self) -> list[dict[str, Any]]:
        """Names and counts."""
        return [{"name": name, "participants": len(legs)} for name, legs in self.rooms.items()]

    def room_json(self, room: str) -> dict[str, Any]:
        """Name and participants."""
        legs = self.rooms[room].values()
        return {"name": room, "participants": [leg.to_json() for leg in legs]}

    def debug_json(self, room: str) -> dict[str, Any]:
        """The same."""
        return self.room_json(room)

    def is_revoked(self, jti: str) -> bool:
        """Kicked."""
        return jti in self.revoked

    def levels(self, room: str) -> dict[str, tuple[int, bool]]:
        """(dBov, talking) by leg."""
        return {leg.id: (leg.level, leg.talking) for leg in self.rooms[room].values()}

    def holds_leg(self, room: str, jti: str) -> bool:
        """Whether that token made a leg of the room."""
        return any(leg.jti == jti for leg in self.rooms[room].values())

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def begin_drain(self) -> None:
        """Note it."""
        self.draining = True

    async def say_goodbye(self, timeout_s: float = 2.0) -> bool:
        """What ``say_bye`` holds; the legs that were there are noted."""
        self.asked.append(("goodbye", sum(map(len, self.rooms.values()))))
        return self.say_bye

    def leg_count(self) -> int:
        """Legs of all rooms, after ``on_leg_count`` had its say."""
        self.on_leg_count()
        return sum(map(len, self.rooms.values()))

    def participant_counts(self) -> dict[str, int]:
        """By room."""
        return {name: len(legs) for name, legs in self.rooms.items()}

    def counters(self) -> dict[str, int]:
        """As set."""
        return self.counted

    def take_handshake_seconds(self) -> list[float]:
        """As set, once."""
        taken, self.handshakes = self.handshakes, []
        return taken

    def expected_tasks(self) -> int:
        """None."""
        return 0
