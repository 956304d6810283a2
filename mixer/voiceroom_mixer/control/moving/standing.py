"""Rooms that are mixed elsewhere while legs of theirs are known here: a twin's, a successor's, and
those that this pod has given away and relays for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from voiceroom_mixer.config import RoomEntry
from voiceroom_mixer.control.rooms.recovery import new_room
from voiceroom_mixer.control.rooms.registry import Leg, Registry, Room
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.legstate import LegState
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.core.state.seat import STANDING, Seat


class Standing:
    """Their rows in the segments, by the room's name. Nobody joins here, and nothing is told."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self.rooms: dict[str, Room] = {}
        self.full = 0
        """Legs that found no slot: they are not protected."""

    def open(self, entry: RoomEntry, seat: Seat) -> Room | None:
        """A room without legs yet; None when all slots are taken."""
        room = new_room(self._registry, entry, seat)
        if room is not None:
            self.rooms[room.name] = room
            room.link.write_room(room.state)
        return room

    def change(self, room: Room, **fields: Any) -> None:
        """Publish a changed row."""
        state = replace(room.state, **fields)
        if state != room.state:
            room.state = state
            room.link.write_room(state)

    def reseat(self, room: Room, **fields: Any) -> None:
        """Publish a changed seat."""
        self.change(room, seat=replace(room.state.seat, **fields))

    def heard_epoch(self, room: Room, epoch: int) -> None:
        """The owner mixes under it."""
        if stands(room):
            self.reseat(room, owner_epoch=owner_epoch(room.state.seat, epoch))

    def put(self, room: Room, told: LegState) -> None:
        """A leg as its owner has it, new or changed."""
        known = room.legs.get(told.leg)
        if known is not None:
            at = {name: getattr(known.state, name) for name in ("slot", "generation", "room_slot")}
            known.state = replace(told, **at)
            room.link.write_leg(known.state)
            return
        lease = room.link.lease_leg()
        if lease is None:
            self.full += 1
            return
        state = replace(told, slot=lease[0], generation=lease[1], room_slot=room.state.slot)
        room.link.write_mark(state.slot, Mark(state.generation))
        room.link.write_leg(state)
        room.legs[told.leg] = Leg(state, room, room.link)

    def mark(self, room: Room, leg: str, values: dict[str, Any]) -> None:
        """Where its streams stood a moment ago, and whether its person talked."""
        known = room.legs.get(leg)
        if known is not None:
            talking = bool(values.pop("talking", False))
            known.talking = talking
            room.link.write_mark(known.state.slot, Mark(known.state.generation, **values))

    def drop(self, room: Room, leg: str) -> None:
        """It has left."""
        known = room.legs.pop(leg, None)
        if known is not None:
            room.link.clear_leg(known.state)

    def close(self, room: Room) -> None:
        """Nothing is left of it here."""
        for leg in list(room.legs):
            self.drop(room, leg)
        room.link.clear_room(room.state)
        self.rooms.pop(room.name, None)

    def sweep(self) -> None:
        """Legs that media has let go of: their clients have found the room's new pod, or left."""
        for room in list(self.rooms.values()):
            for leg in list(room.legs.values()):
                if leg.figures().phase == layout.PHASE_ENDED:
                    self.drop(room, leg.id)
            if room.state.seat.part == "former" and not room.legs:
                self.close(room)

    def relayed(self) -> int:
        """Legs of rooms that were given away."""
        return sum(len(r.legs) for r in self.rooms.values() if r.state.seat.part == "former")

    def adopted(self, room: Room) -> bool:
        """Whether media knows all legs that were told."""
        return all(leg.figures().adopted for leg in room.legs.values())

    def become_owner(self, room: Room, seat: Seat) -> None:
        """Its rows stay as they are; from now on people find it here."""
        self.rooms.pop(room.name, None)
        self._registry.rooms[room.name] = room
        for leg in room.legs.values():
            self._registry.add(leg)
        extra = room.state.extra | {"epoch": seat.epoch}
        self.change(room, seat=seat, extra=extra)

    def give_away(self, room: Room, seat: Seat) -> None:
        """People find it elsewhere from now on; its legs are relayed."""
        for leg in list(room.legs.values()):
            self._registry.forget_slot(leg)
            if leg.handshake is not None:
                leg.handshake.drop()
                leg.handshake = None
            room.link.write_mark(leg.state.slot, Mark(leg.state.generation))  # ours are newer
        self._registry.rooms.pop(room.name, None)
        self.rooms[room.name] = room
        self.change(room, seat=seat)


def stands(room: Room) -> bool:
    """It waits for its turn."""
    return room.state.seat.part in STANDING


def owner_epoch(seat: Seat, heard: int) -> int:
    """What a twin takes over from is at least what it was told: the number above the one before
    may be an earlier twin's."""
    return max(heard, seat.epoch) if seat.part == "twin" else heard


def waiting(rooms: dict[str, Room]) -> Iterator[Room]:
    """Those that do."""
    return (room for room in list(rooms.values()) if stands(room))
