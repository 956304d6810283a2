"""What media says of rooms that it has begun or stopped to mix (``layout.ROOM_COLUMNS``)."""

from __future__ import annotations

from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.core.state.legstate import RoomState
from voiceroom_mixer.core.state.seat import STANDING


def begun(link: MediaLink, state: RoomState) -> tuple[int, int]:
    """The epochs that were begun and stopped, 0 = none."""
    columns = link.segment.room_columns
    if int(columns["generation"][state.slot]) != state.generation:
        return 0, 0
    return int(columns["began_epoch"][state.slot]), int(columns["stopped_epoch"][state.slot])


def how_begun(link: MediaLink, state: RoomState) -> int:
    """``layout.BEGAN_*``."""
    return int(link.segment.room_columns["began_how"][state.slot])


def warm_epoch(link: MediaLink, state: RoomState) -> int:
    """Of the seat for which media has made all legs ready; 0 = none."""
    columns = link.segment.room_columns
    known = int(columns["generation"][state.slot]) == state.generation
    return int(columns["warm_epoch"][state.slot]) if known else 0


def is_mixed(link: MediaLink, state: RoomState) -> bool:
    """Whether media mixes the room, by its seat and by what it has begun and stopped since."""
    began, stopped = begun(link, state)
    if state.seat.part in STANDING:
        return began > state.seat.owner_epoch and stopped < began
    return state.seat.part == "owner" and (not stopped or stopped < began)


def gap_us(link: MediaLink, state: RoomState) -> int:
    """Silence before the room began here, as far as media can tell."""
    return int(link.segment.room_columns["gap_us"][state.slot])
