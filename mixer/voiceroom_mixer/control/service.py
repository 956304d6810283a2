"""The seam between HTTP and everything behind it.

``http/`` turns requests into these calls and ``ApiError`` into answers; ``RoomService`` (in
``rooms/``) owns the rooms and legs. All of it runs on the one event loop of control.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from voiceroom_mixer.core.state.legstate import Role


class ApiError(Exception):
    """No success: JSON ``{"error": code, "message": sentence, "field": path?}``."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})

    def to_dict(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = {"error": self.code, "message": self.message}
        return body | {"field": self.field} if self.field else body


@dataclass(frozen=True, slots=True)
class Claims:
    """A verified token (contract §3)."""

    sub: str
    room: str
    role: Role
    exp_s: int
    jti: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A leg that has just been made, or whose ICE was restarted."""

    leg: str
    etag: str
    """The entity tag with its quotes."""
    sdp: str


class RoomService(Protocol):
    """All that can be done to rooms and legs. Every method may raise ``ApiError``."""

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
        """Answer an SDP offer with a new leg, whose person wants to be called ``name``."""

    async def patch_ice(
        self, room: str, leg: str, sdpfrag: str, if_match: str | None
    ) -> Joined | None:
        """RFC 9725 §4.3: None after trickled candidates (204); after an ICE restart ``sdp`` is the
        answering sdpfrag (200)."""

    async def add_rtp_leg(
        self, room: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """``{"id","ip","port","payloadType","ssrc"}``."""

    async def patch_leg(
        self, room: str, leg: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """``muted``, ``gainDb``, ``hears``; the participant afterwards."""

    async def remove_leg(self, room: str, leg: str, claims: Claims) -> None:
        """Leave (own leg), or kick: event ``kicked``, the token is refused until its exp."""

    async def remove_all(self, room: str, claims: Claims) -> int:
        """Kick everybody; how many."""

    async def patch_room(
        self, room: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """``muteAll``, ``locked``; the room afterwards."""

    def leg_token_owner(self, room: str, leg: str) -> str:
        """The jti of the token that made the leg: its Location accepts that token after exp too."""

    def room_exists(self, room: str) -> bool:
        """Whether this process runs the room."""

    def rooms_json(self) -> list[dict[str, Any]]:
        """GET /rooms."""

    def room_json(self, room: str) -> dict[str, Any]:
        """GET /rooms/{room}: state, tick figures, participants."""

    def debug_json(self, room: str) -> dict[str, Any]:
        """Everything per leg."""

    def is_revoked(self, jti: str) -> bool:
        """Kicked tokens are refused until their exp."""

    def levels(self, room: str) -> dict[str, tuple[int, bool]]:
        """By leg id: what is heard of it now in dBov (0 loudest, -127 silent), and whether it
        talks. Cheap: read ten times a second for rooms that somebody watches."""

    def holds_leg(self, room: str, jti: str) -> bool:
        """Whether a leg that is in the room now was made with that token: it may look at the room
        after the token's exp too."""


class RoomHouse(RoomService, Protocol):
    """What the composition root needs of the service beside ``RoomService``."""

    async def start(self) -> None:
        """Read the media processes; load WebRTC in the background."""

    async def stop(self) -> None:
        """End every task of the service. Legs stay in the segments: media goes on."""

    def begin_drain(self) -> None:
        """Refuse joins with 503 ``draining`` from now on."""

    async def say_goodbye(self, timeout_s: float = 2.0) -> bool:
        """Have media say BYE on every leg and let go; False when it did not confirm in time."""

    def leg_count(self) -> int:
        """Legs of all rooms; the drain waits for 0."""

    def participant_counts(self) -> dict[str, int]:
        """People by room."""

    def counters(self) -> dict[str, int]:
        """What was counted, by name."""

    def take_handshake_seconds(self) -> list[float]:
        """How long the DTLS handshakes since the last call took, from the first record to keys."""

    def expected_tasks(self) -> int:
        """How many asyncio tasks of the service there should be at this moment."""
