"""What can be seen from outside, each with its moment. Moments are seconds of CLOCK_MONOTONIC."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is so from ``at_s`` on."""

    at_s: float


@dataclass(frozen=True, slots=True)
class Act(Fact):
    """What the demonstration itself does."""

    words: str


@dataclass(frozen=True, slots=True)
class Stall(Fact):
    """The write to the node's cgroup was made, or taken back."""

    node: str
    begins: bool
    words: str = ""
    """The write."""


@dataclass(frozen=True, slots=True)
class Place(Fact):
    """Where the room's status says that it is."""

    pod: str
    node: str


@dataclass(frozen=True, slots=True)
class Judgement(Fact):
    """What a mixer pod says of its own time."""

    pod: str
    node: str
    verdict: str
    """Of ``voiceroom_api.names.VERDICTS``; empty = nothing is wrong."""
    evidence: tuple[str, ...] = ()
    late_ms: float = 0.0
    """Tick lateness at p99 in the worst of its last three seconds."""


@dataclass(frozen=True, slots=True)
class Decision(Fact):
    """A node or pod is on record as left, in the pool's status."""

    what: str
    name: str
    cause: str


@dataclass(frozen=True, slots=True)
class Release(Fact):
    """It may have rooms again."""

    name: str


@dataclass(frozen=True, slots=True)
class Move(Fact):
    """A move on record, in the room's status."""

    id: str
    reason: str
    source: str
    to: str
    state: str
    """begun, done, or given up."""


@dataclass(frozen=True, slots=True)
class Hearing(Fact):
    """Whom one caller hears."""

    who: str
    talkers: tuple[str, ...]
    """That it should hear."""
    heard: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seat(Fact):
    """By which leg a browser's page is in the room, and the state of its call."""

    who: str
    leg: str
    state: str
