"""Taking over: rooms and legs that a killed control has left in the segments, then the rest.

The rows are the truth. What cannot be read, belongs to no room of this run, or could never become
a call (a WebRTC leg whose keys were not there yet) is cleared and counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voiceroom_mixer.config import RoomEntry, RunConfig
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.rooms.begun import begun, is_mixed
from voiceroom_mixer.control.rooms.leaving import Leaving
from voiceroom_mixer.control.rooms.registry import Leg, Registry, Room
from voiceroom_mixer.core.state.legstate import LegState, RoomState, StateError
from voiceroom_mixer.core.state.seat import Seat, room_key


def recover(
    registry: Registry, config: RunConfig, leaving: Leaving, standing: dict[str, Room]
) -> None:
    """Fill the registry from the segments, then open the rooms that are missing; ``standing`` gets
    those that another pod mixes.

    Counts ``rows_unreadable``, ``legs_recovered``, ``rooms_recovered``. Raises ``ValueError`` when
    the run has more rooms than the segments hold.
    """
    for link in registry.links:
        _recover_rooms(registry, link, standing)
        _recover_legs(registry, link, standing)
    for room in list(registry.rooms.values()):
        moved_in = begun(room.link, room.state)[0] > 0  # which the operator may not know yet
        if config.room(room.name) is None and not moved_in:
            leaving.close_room(room)
    for leg in registry.legs():
        if leg.state.kind == "webrtc" and leg.state.srtp is None:
            leaving.leave(leg, "lost")
    for entry in config.rooms:
        if entry["name"] not in registry.rooms and entry["name"] not in standing:
            open_room(registry, entry)


def _recover_rooms(registry: Registry, link: MediaLink, standing: dict[str, Room]) -> None:
    for slot, blob in link.segment.tables["rooms"].used():
        try:
            state = RoomState.from_bytes(blob)
        except StateError:
            state = None
        known = state is not None and (state.room in registry.rooms or state.room in standing)
        if state is None or state.slot != slot or known:
            registry.counters["rows_unreadable"] += 1
            link.segment.tables["rooms"].clear(slot)
            continue
        link.room_slots.adopt(slot, state.generation)
        rooms = registry.rooms if is_mixed(link, state) else standing
        rooms[state.room] = _as_it_is(Room(state, link))
        registry.counters["rooms_recovered"] += 1


def _as_it_is(room: Room) -> Room:
    """With the part that media has given it, where control was killed before it could say so."""
    seat, epoch = room.state.seat, begun(room.link, room.state)[0]
    if is_mixed(room.link, room.state):
        is_new = seat.part != "owner" or epoch > seat.epoch
        now = seat.begun(max(seat.epoch, epoch)) if is_new else seat
    else:
        now = seat.given_away(seat.to, 0) if seat.part == "owner" else seat
    if now != seat:
        room.state = replace(room.state, seat=now)
        room.link.write_room(room.state)
    return room


def _recover_legs(registry: Registry, link: MediaLink, standing: dict[str, Room]) -> None:
    known = {**standing, **registry.rooms}
    for slot, blob in link.segment.tables["legs"].used():
        try:
            state = LegState.from_bytes(blob)
        except StateError:
            state = None
        room = known.get(state.room) if state else None
        if state is None or room is None or not _belongs(state, slot, room, link):
            registry.counters["rows_unreadable"] += 1
            link.segment.tables["legs"].clear(slot)
            continue
        link.leg_slots.adopt(slot, state.generation)
        leg = _adopted(state, room, link)
        if room.name in standing:
            room.legs[leg.id] = leg
        else:
            registry.add(leg)
        registry.counters["legs_recovered"] += 1


def _belongs(state: LegState, slot: int, room: Room, link: MediaLink) -> bool:
    at_home = state.slot == slot and room.link is link and state.room_slot == room.state.slot
    return at_home and state.leg not in room.legs


def _adopted(state: LegState, room: Room, link: MediaLink) -> Leg:
    leg = Leg(state, room, link)
    leg.talking = leg.figures().talking
    if state.previous_ice is not None:
        leg.previous_ice_until_ns = 1  # the restart was before our time: the next look ends it
    return leg


def open_room(registry: Registry, entry: RoomEntry) -> Room:
    """A new room that is ours. Raises ``ValueError`` when there is no place for it."""
    room = new_room(registry, entry, seated(Seat(), entry))
    if room is None:
        raise ValueError(f"room {entry['name']}: the mixer has no place for another room")
    registry.rooms[room.name] = room
    room.link.write_room(room.state)
    return room


def new_room(registry: Registry, entry: RoomEntry, seat: Seat) -> Room | None:
    """A room on the media process with the fewest, not published yet; None when all are full."""
    link = min(registry.links, key=lambda link: len(link.room_slots))
    lease = link.lease_room()
    if lease is None:
        return None
    state = RoomState(
        room=entry["name"],
        slot=lease[0],
        generation=lease[1],
        seat=seat,
        extra=origin(entry),
        **settings(entry["spec"]),
    )
    return Room(state, link)


def seated(seat: Seat, entry: RoomEntry) -> Seat:
    """The owner's seat by its entry; an epoch never falls."""
    epoch = max(seat.epoch, entry.get("epoch", 0))
    return replace(seat, key=room_key(entry.get("uid", "")), epoch=epoch)


def origin(entry: RoomEntry) -> dict[str, Any]:
    """What control must know of a room after its own restart: which VoiceRoom it is, under which
    binding, and whether that locks it."""
    uid, epoch = entry.get("uid", ""), entry.get("epoch", 0)
    return {"uid": uid, "epoch": epoch, "locked": entry["spec"]["locked"]}


def settings(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``RoomState`` that a VoiceRoom's spec decides."""
    audio = spec["audio"]
    return {
        "frame_ms": audio["frameMs"],
        "talkers": audio["talkers"],
        "bitrate_kbps": audio["bitrateKbps"],
        "fec": audio["fec"],
        "dtx": audio["dtx"],
        "jitter_min_ms": audio["jitterBuffer"]["minMs"],
        "jitter_max_ms": audio["jitterBuffer"]["maxMs"],
        "max_participants": spec["maxParticipants"],
        "locked": spec["locked"],
    }
