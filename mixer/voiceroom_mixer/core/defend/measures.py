"""What each level of the ladder takes away, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Measures:
    """How a media process works at one level. A level includes what the ones below it do."""

    what: str
    """For people: the events, the docs."""
    defer_chores: bool = False
    """gc, level events and reports wait."""
    complexity: int | None = None
    """Of Opus, 0..10; None = as configured."""
    max_talkers: int | None = None
    """At most so many are mixed; None = as the room says."""
    shared_mix: bool = False
    """All who do not talk hear one mix, whatever gains they have set for others."""
    extra_target_ms: int = 0
    """On top of each jitter buffer's target."""
    min_frame_ms: int = 0
    """Frames of at least this length are sent."""
    fec: bool = True
    """In-band FEC where the room has it."""
    passthrough: bool = False
    """The dominant speaker's packets are sent on as they are; nothing is decoded or mixed."""
    refuse_joins: bool = False
    """And the operator is asked to move the rooms."""


LEVELS: Final[tuple[Measures, ...]] = (
    Measures("everything"),
    Measures("chores wait, cheaper Opus", defer_chores=True, complexity=2),
    Measures(
        "fewer talkers, one shared mix",
        defer_chores=True,
        complexity=2,
        max_talkers=3,
        shared_mix=True,
    ),
    Measures(
        "larger buffers and frames, no FEC",
        defer_chores=True,
        complexity=0,
        max_talkers=3,
        shared_mix=True,
        extra_target_ms=40,
        min_frame_ms=40,
        fec=False,
    ),
    Measures(
        "the dominant speaker's packets as they are",
        defer_chores=True,
        complexity=0,
        max_talkers=1,
        shared_mix=True,
        extra_target_ms=40,
        min_frame_ms=40,
        fec=False,
        passthrough=True,
    ),
    Measures(
        "no joins, asks to be moved",
        defer_chores=True,
        complexity=0,
        max_talkers=1,
        shared_mix=True,
        extra_target_ms=40,
        min_frame_ms=40,
        fec=False,
        passthrough=True,
        refuse_joins=True,
    ),
)
WORST: Final = len(LEVELS) - 1
