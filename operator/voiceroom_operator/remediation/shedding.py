"""Overload: the fewest rooms whose leaving cures it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

CURED_SHARE: Final = 0.8
"""Ticks that take no more of their frame have room for what varies."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A room of the pod that is overloaded."""

    room: str
    legs: int
    cost: float
    """Its part of the work, in any unit."""
    free: bool = True
    """It may be moved now."""


def fewest(rooms: Sequence[Weight], used: float) -> tuple[str, ...]:
    """Rooms to take away from a pod whose ticks use ``used`` of their frame (more than 1 is
    overload). Nothing when it is cured already, when one room alone is too much, or when those
    that may be moved do not suffice."""
    total = sum(room.cost for room in rooms)
    if len(rooms) < 2 or total <= 0 or used <= CURED_SHARE:
        return ()
    goal = total * (1.0 - CURED_SHARE / used)
    free = sorted((room for room in rooms if room.free), key=lambda r: (-r.cost, r.legs, r.room))
    sums = list(accumulate(room.cost for room in free))
    count = next((at + 1 for at, reached in enumerate(sums) if reached >= goal), 0)
    if count == 0 or count == len(rooms):
        return ()
    # the last may be the smallest that still suffices: as few people as possible are moved
    missing = goal - (sums[count - 2] if count > 1 else 0.0)
    last = min(
        (room for room in free[count - 1 :] if room.cost >= missing),
        key=lambda room: (room.legs, room.cost, room.room),
    )
    return (*(room.room for room in free[: count - 1]), last.room)
