"""What people are told of a binding: reasons and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voiceroom_api import names
from voiceroom_operator.observed import PodSeen, RoomSeen
from voiceroom_operator.wanted import PoolWanted

FIRST_BINDING: Final = "Bound"
POD_LOST: Final = "PodLost"
TAKEN_OVER: Final = "TakenOver"
MOVED: Final = "Moved"
TAKEN_BACK: Final = "TakenBack"
MOVE_GIVEN_UP: Final = "MoveGivenUp"
SUCCESSOR_LOST: Final = "SuccessorLost"
DRAIN_DEADLINE: Final = "DrainDeadline"
TWIN_CHOSEN: Final = "TwinChosen"


def no_pool(room: RoomSeen, pool: PoolWanted | None, is_being_made: bool) -> tuple[str, str]:
    """Reason and message for a room without a pool."""
    if is_being_made:
        return names.WAITING_FOR_POD, f"MixerPool {room.pool} is being made"
    fix = f"make it, or set spec.poolName of room {room.name} to another"
    if pool is not None:
        return names.POOL_NOT_FOUND, f"MixerPool {room.pool} is being deleted: {fix}"
    return names.POOL_NOT_FOUND, f"there is no MixerPool {room.pool} in this namespace: {fix}"


def no_pod(room: RoomSeen, pool: PoolWanted, serving: Sequence[PodSeen]) -> tuple[str, str]:
    """Reason and message for a room that no pod of its pool can take."""
    if not serving:
        if pool.size_max == 0:
            return names.NO_CAPACITY, f"MixerPool {pool.name} has spec.size.max 0: raise it"
        return names.WAITING_FOR_POD, f"no pod of MixerPool {pool.name} is ready yet"
    if len(serving) < pool.size_max:
        return names.WAITING_FOR_POD, f"another pod of MixerPool {pool.name} is on its way"
    kind = "is free for a room of its own" if room.dedicated else "has room for another one"
    message = (
        f"none of the {len(serving)} pods of MixerPool {pool.name} {kind}: raise "
        f"spec.size.max ({pool.size_max}) or spec.capacity (rooms {pool.capacity_rooms}, "
        f"participants {pool.capacity_participants}), or give the pods more CPU"
    )
    return names.NO_CAPACITY, message


def all_silent(pool: PoolWanted, pods: int) -> tuple[str, str]:
    """Reason and message where pods are Ready, and the operator cannot speak to them."""
    message = (
        f"none of the {pods} ready pods of MixerPool {pool.name} answers the operator on its port "
        "admin: see whether a NetworkPolicy or a firewall is in between"
    )
    return names.WAITING_FOR_POD, message


def stays(room: RoomSeen, moves_at_once: int) -> str:
    """Why a room is not moved now."""
    if moves_at_once == 0:
        return (
            f"{room.legs} are in: the room changes pods when it is empty, or at the drain deadline"
        )
    return f"{moves_at_once} of {moves_at_once} moves are under way: it is moved when one has ended"
