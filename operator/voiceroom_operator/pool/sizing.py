"""How many pods a pool needs."""

from __future__ import annotations

from voiceroom_operator.pool.crew import Crew, Demand
from voiceroom_operator.wanted import PoolWanted


def target_size(wanted: PoolWanted, crew: Crew, demand: Demand) -> int:
    """Pods there should be, those on their way out apart.

    One for each that has rooms (who leaves needs a successor) and for what the waiting rooms
    fill, ``size.min`` at least, and ``size.spare`` more that stand by; never above ``size.max``.
    """
    needed = max(wanted.size_min, len(crew.busy) + needed_for(wanted, demand))
    return min(needed + wanted.spare, wanted.size_max)


def needed_for(wanted: PoolWanted, demand: Demand) -> int:
    """Pods that the rooms that wait would fill, by their number and by the people in them."""
    by_rooms = -(-demand.rooms // wanted.capacity_rooms)
    by_legs = -(-demand.legs // wanted.capacity_participants)
    return demand.dedicated + max(by_rooms, by_legs)
