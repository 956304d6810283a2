"""What the door must know of a room beside what the room itself does."""

from __future__ import annotations

from collections.abc import Iterable

from voiceroom_api.duration import parse_duration
from voiceroom_mixer.config import IceServer, RoomEntry, RunConfig

DEFAULT_TTL = "1h"


class RoomFacts:
    """By the room's name; in a pod replaced with every assignment."""

    def __init__(self, config: RunConfig) -> None:
        self._servers = config.ice_servers
        self._entries: dict[str, RoomEntry] = {}
        self.replace(config.rooms)

    def replace(self, rooms: Iterable[RoomEntry]) -> None:
        """These are the rooms from now on."""
        self._entries = {entry["name"]: entry for entry in rooms}

    def pin_hash(self, room: str) -> str:
        """Empty = no PIN."""
        entry = self._entries.get(room)
        return entry["pinHash"] if entry else ""

    def token_ttl_s(self, room: str) -> int:
        """Of the tokens that the PIN gives."""
        entry = self._entries.get(room)
        access = entry["spec"].get("access", {}) if entry else {}
        return parse_duration(access.get("tokenTtl", DEFAULT_TTL))

    def ice_servers(self, room: str) -> tuple[IceServer, ...]:
        """Told to the clients of the room."""
        entry = self._entries.get(room)
        return entry.get("iceServers", self._servers) if entry else self._servers
