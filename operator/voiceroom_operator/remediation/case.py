"""What is known of one pool when its remediation is planned, and what the plan says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from voiceroom_operator.observed import Nodes
from voiceroom_operator.remediation.drifted import Drifted
from voiceroom_operator.remediation.guards import Blocked
from voiceroom_operator.remediation.policy import Mode, Policy
from voiceroom_operator.remediation.raises import Raise
from voiceroom_operator.remediation.records import Evacuation
from voiceroom_operator.remediation.suspects import Alarm, PodView


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room of the pool."""

    name: str
    pod: str
    legs: int = 0
    mode: Mode | None = None
    """Its own; None = the pool's."""
    paused: str = ""
    """The reason that a person gave."""
    drift: Drifted | None = None
    frame_ms: float = 20.0
    moving: bool = False
    cost: float = 0.0
    """Its part of the pod's work, in any unit."""


@dataclass(frozen=True, slots=True)
class PoolCase:
    """One pool."""

    name: str
    policy: Policy
    pods: tuple[PodView, ...] = ()
    rooms: tuple[RoomView, ...] = ()
    record: tuple[Evacuation, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    """On record and new: those of this pool's pods, and of nodes."""
    nodes: Nodes = None
    raises: tuple[Raise, ...] = ()
    """On record."""


@dataclass(frozen=True, slots=True)
class Say:
    """An event, and what is counted."""

    about: Literal["Pool", "Room"]
    name: str
    reason: str
    message: str
    warning: bool = True


@dataclass(frozen=True, slots=True)
class Remedies:
    """What to do for one pool. What is ``fresh`` is acted on once it is on record."""

    record: tuple[Evacuation, ...] = ()
    """All that is to be on record."""
    fresh: tuple[Evacuation, ...] = ()
    """Of these, what is new."""
    raises: tuple[Raise, ...] = ()
    """CPU limits: all that is to be on record."""
    fresh_raises: tuple[Raise, ...] = ()
    """Of these, what is new."""
    due_raises: tuple[Raise, ...] = ()
    """Of these, what is to be asked of the API server now."""
    ended_raises: tuple[Raise, ...] = ()
    """Of these, what has just come to an end."""
    alarms: tuple[Alarm, ...] = ()
    """To be on record."""
    leave: Mapping[str, str] = field(default_factory=dict)
    """Rooms that ought to be elsewhere now, and the cause."""
    held: Mapping[str, Blocked] = field(default_factory=dict)
    """Rooms that ought to be elsewhere and stay, and why."""
    draining: frozenset[str] = frozenset()
    """Uids of pods that are out of service on account of drift."""
    avoid: frozenset[str] = frozenset()
    """Nodes on which no pod is made."""
    quarantined: Mapping[str, float] = field(default_factory=dict)
    """Nodes that are not trusted, and until when (Unix time)."""
    unfit: frozenset[str] = frozenset()
    """Names of pods that no room is moved to on account of drift."""
    bad: frozenset[str] = frozenset()
    """Names of pods that any room takes last."""
    in_place: Mapping[str, str] = field(default_factory=dict)
    """Names of pods that are helped where they are, and how that goes, in words."""
    causes: Mapping[str, str] = field(default_factory=dict)
    """Names of suspected pods, and what is wrong."""
    nodes_left: tuple[str, ...] = ()
    """Nodes that are being left."""
    pods_left: int = 0
    """How many more pods may be left in the hour that runs."""
    blocked: Blocked | None = None
    says: tuple[Say, ...] = ()
    requeue_after_s: float | None = None
