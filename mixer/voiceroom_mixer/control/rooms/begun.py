"""What media says of rooms that it has begun or stopped to mix (``layout.ROOM_COLUMNS``)."""

from __future__ import annotations

from typing import Any

from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.legstate import RoomState


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
    return state.seat.is_mixed(*begun(link, state))


def gap_us(link: MediaLink, state: RoomState) -> int:
    """Silence before the room began here, as far as media can tell."""
    return int(link.segment.room_columns["gap_us"][state.slot])


def came(link: MediaLink, state: RoomState) -> dict[str, Any]:
    """``came``: how the room came here from another pod; empty = it did not."""
    epoch, _ = begun(link, state)
    if not epoch or epoch != state.seat.epoch:
        return {}
    gap_ms = gap_us(link, state) // 1_000
    taken = how_begun(link, state) == layout.BEGAN_TAKEN
    lost = gap_ms // state.frame_ms if taken else 0
    return {"came": {"gapMs": gap_ms, "lostFrames": lost, "taken": taken}}
