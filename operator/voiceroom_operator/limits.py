"""How much may be done at once, and how long is waited: arguments of the planners."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for one plan. Times in seconds, shares as a part of a frame's time."""

    creates: int = 5
    """Pods made by one plan."""
    deletes: int = 5
    """Idle pods removed by one plan because they are too many."""
    pending: int = 10
    """Pods of a pool that may be on their way to Ready at once."""
    decisions: int = 200
    """Bindings, moves and twins decided by one plan."""
    moves: int = 0
    """Rooms that may be on the move at once in a namespace, empty ones too; 0 = nobody can hand
    them over: they stay until they are empty or the drain deadline passes."""
    move_s: float = 30.0
    """A move that has not come to its end by then is given up."""
    idle_grace_s: float = 60.0
    """How long a pod must have been idle before it is removed as one too many."""
    failure_hold_s: float = 30.0
    """A pod that failed when it was younger keeps its place until it is so old, so that what fails
    at once is not made again at once."""
    lost_after_s: float = 5.0
    """A pod that is not Ready and has not answered for so long has lost its rooms."""
    close_grace_s: float = 30.0
    """What a pod gets after its drain deadline to close what is left."""
    min_headroom: float = 0.4
    """A pod takes a room only while so much of the frame stays free at p99."""
    room_share: float = 0.004
    """What a room adds to a tick before it has been measured."""
    leg_share: float = 0.001
    """What a leg adds to a tick before it has been measured."""
