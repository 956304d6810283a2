"""Makes the rooms of this process what the operator assigned, with people in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from voiceroom_mixer.config import RoomEntry
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.recovery import open_room, origin, seated, settings
from voiceroom_mixer.control.rooms.registry import Room

FRAME_FIELD = "spec.audio.frameMs"


class Assigning:
    """``held``: by room, the field that cannot change while people are in; it does afterwards."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._wanted: dict[str, RoomEntry] = {}
        self.held: dict[str, str] = {}

    def apply(
        self,
        rooms: Sequence[RoomEntry],
        has_moved: Callable[[str], bool],
        stays: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Close what is not among ``rooms``, open what is new, change the rest. ``has_moved``:
        whether another pod runs a room that is to be closed here; ``stays``: whether it is ours
        though the operator does not know it yet."""
        registry, leaving = self._house.registry, self._house.leaving
        self._wanted = {entry["name"]: entry for entry in rooms}
        for room in list(registry.rooms.values()):
            if self._is_same(room) or stays(room.name):
                continue
            if room.name not in self._wanted and has_moved(room.name):
                leaving.hand_over_room(room)
            else:
                leaving.close_room(room)
        for entry in rooms:
            if entry["name"] not in registry.rooms:
                open_room(registry, entry)
        self._adjust()

    def _is_same(self, room: Room) -> bool:
        """A VoiceRoom that was deleted and made anew is another room, whatever its name."""
        entry = self._wanted.get(room.name)
        return entry is not None and room.state.extra.get("uid", "") == entry.get("uid", "")

    def look(self, _now_ns: int) -> None:
        """Once a second: what was held is done when the room has become empty."""
        if self.held:
            self._adjust()

    def _adjust(self) -> None:
        self.held = {}
        for entry in self._wanted.values():
            room = self._house.registry.rooms.get(entry["name"])
            if room is not None:  # otherwise it has gone to another pod since
                self._change(room, entry)

    def _change(self, room: Room, entry: RoomEntry) -> None:
        """Only what differs is published; a moderator's lock stays until the spec's changes."""
        before, changes = room.state, settings(entry["spec"])
        if changes["frame_ms"] != before.frame_ms and room.legs:
            changes["frame_ms"] = before.frame_ms
            self.held[room.name] = FRAME_FIELD
        if changes["locked"] == before.extra.get("locked"):
            changes["locked"] = before.locked
        seat = seated(before.seat, entry)
        after = replace(before, extra=before.extra | origin(entry), seat=seat, **changes)
        if after == before:
            return
        room.state = after
        room.link.write_room(after)
        if after.locked != before.locked:
            self._house.publish(room.name, "locked", {"locked": after.locked})
