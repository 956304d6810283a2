"""What this pod is to be for a room that another one mixes, and how far it has come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from voiceroom_mixer.config import RoomEntry
from voiceroom_mixer.control.moving.following import Following
from voiceroom_mixer.core.state.seat import Part


@dataclass(frozen=True, slots=True)
class Chair:
    """An entry of the assignment that has to do with another pod."""

    room: RoomEntry
    part: Part
    owner: str
    """The owner's admin listener, HOST:PORT; empty = not known (yet)."""
    owner_epoch: int
    move: str = ""
    forced: bool = False
    """The operator says that nobody else mixes it: there is nobody to be asked."""


@dataclass(slots=True)
class Wait:
    """A standing room's way to the cut."""

    following: Following | None = None
    ordering: asyncio.Task[None] | None = None
    not_before_ns: int = 0
    candidates: tuple[tuple[str, int], ...] = ()
    chair: Chair | None = None
    refused: str = ""

    def end(self) -> None:
        """Nothing is waited for any more."""
        if self.following is not None:
            self.following.stop()
        if self.ordering is not None:
            self.ordering.cancel()
            self.ordering = None
