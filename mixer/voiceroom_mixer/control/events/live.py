"""Live figures for rooms that somebody watches: ``levels`` ten times a second, ``timing`` once, and
when the mixer's level changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.control.events.bus import EventBus

LEVELS_NS: Final = 100 * NS_PER_MS
TIMING_EVERY: Final = 10
"""Of this many rounds of levels, one also tells the timing."""
SILENT_DBOV: Final = -127


class LevelSource(Protocol):
    """What is needed of the service."""

    def levels(self, room: str) -> dict[str, tuple[int, bool]]:
        """(dBov, talking) by leg."""

    def room_exists(self, room: str) -> bool:
        """Whether the room is run here."""


class LiveFigures:
    """One event for all legs of a room; a room that stays silent says nothing."""

    def __init__(
        self,
        bus: EventBus,
        source: LevelSource,
        timing: Callable[[], dict[str, Any]],
        pressure: Callable[[], object] = lambda: None,
    ) -> None:
        """``pressure``: cheap to ask; when it changes the timing is told at once."""
        self._bus, self._source, self._timing = bus, source, timing
        self._pressure = pressure
        self._pressed = pressure()
        self._told: dict[str, dict[str, Any]] = {}
        self._rounds = 0

    def tell(self, _now_ns: int) -> None:
        """One round; call it every ``LEVELS_NS``."""
        rooms = [room for room in self._bus.watched_rooms() if self._source.room_exists(room)]
        self._told = {room: self._levels(room) for room in rooms}
        pressed, self._pressed = self._pressed, self._pressure()
        if rooms and (self._rounds % TIMING_EVERY == 0 or pressed != self._pressed):
            timing = self._timing()
            for room in rooms:
                self._bus.show(room, "timing", timing)
        self._rounds += 1

    def _levels(self, room: str) -> dict[str, Any]:
        levels = self._source.levels(room)
        data = {
            "levels": {leg: dbov for leg, (dbov, _) in levels.items() if dbov > SILENT_DBOV},
            "talking": [leg for leg, (_, talking) in levels.items() if talking],
        }
        if data != self._told.get(room):
            self._bus.show(room, "levels", data)
        return data
