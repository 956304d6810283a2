"""Epochs: one counter per room, each number for one pod only.

The twin of epoch e may take over under e + 1 by itself, without asking. So that number is the
twin's and nobody else's: another pod gets e + 2, and a twin is only changed for another under a
new epoch. In the same way the old pod of a move to epoch e may take the room back under
e + 1 when the new one falls silent, until it hears of a later epoch.
"""

from __future__ import annotations

from collections.abc import Iterable

from voiceroom_operator.observed import Held, PodSeen, RoomSeen


def next_epoch(room: RoomSeen, pod: str) -> int:
    """The epoch under which ``pod`` may get the room."""
    if pod == room.twin and room.move is None:
        return room.epoch + 1
    return burnt_epoch(room) + 1


def burnt_epoch(room: RoomSeen) -> int:
    """The highest number that is given, or is somebody's to take: the twin's, or the old pod's of
    a move."""
    taken_back = room.move.epoch + 1 if room.move is not None else 0
    return max(room.epoch + bool(room.twin), taken_back)


Claim = tuple[PodSeen, Held]
"""A pod, and its word that it runs a room."""


def take_over(room: RoomSeen, claims: Iterable[Claim]) -> Claim | None:
    """The pod that says it took the room over under a higher epoch than is on record.

    A room that is bound to nobody goes back to whoever holds it under the number on record: that
    number was never given to another. ``claims``: of this room.
    """
    found = [claim for claim in claims if _outranks(claim[0], claim[1].epoch, room)]
    return max(found, key=lambda claim: claim[1].epoch, default=None)


def has_moved(room: RoomSeen, pod: str, epoch: int) -> bool:
    """Whether ``pod``, which mixes the room under ``epoch``, ends the move that is under way."""
    return room.move is not None and (pod, epoch) == (room.move.to, room.move.epoch)


def _outranks(pod: PodSeen, epoch: int, room: RoomSeen) -> bool:
    if has_moved(room, pod.name, epoch):
        return True
    return epoch > room.highest_epoch or (not room.pod and 0 < epoch == room.epoch)
