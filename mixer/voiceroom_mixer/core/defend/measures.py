"""What each level of the ladder takes away, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Measures:
    """How a media process works at one level. A level includes what the ones below it do."""

    what: str
    """In a few words: the log, the docs."""
    said: str
    """To the people in a room, who know nothing of mixers."""
    defer_chores: bool = False
    """Garbage collection, levels, columns and RTCP reports wait for a tick with time to spare, a
    second at most."""
    complexity: int | None = None
    """Of Opus, 0..10; None = as configured."""
    max_talkers: int | None = None
    """At most so many are mixed; None = as the room says."""
    shared_mix: bool = False
    """All who do not talk hear one mix, whatever gains they have set for others; but whom they have
    muted they do not hear."""
    extra_target_ms: int = 0
    """On top of each jitter buffer's target."""
    min_frame_ms: int = 0
    """Frames of at least this length are sent."""
    fec: bool = True
    """In-band FEC where the room has it."""
    passthrough: bool = False
    """The loudest sender's packets are sent on as they are; nothing is decoded or mixed. Where a
    sender tells no level, has another gain than 0 dB, or has packets of less than 10 ms, the room
    is mixed while he sounds."""
    refuse_joins: bool = False
    """And the operator is asked to move the rooms."""


LEVELS: Final[tuple[Measures, ...]] = (
    Measures("everything", "The room keeps time."),
    Measures(
        "chores wait, cheaper Opus",
        "The server is pressed for time and puts off what can wait.",
        defer_chores=True,
        complexity=2,
    ),
    Measures(
        "fewer talkers, one shared mix",
        "The server is short of time: the loudest three are heard, at one volume for everybody.",
        defer_chores=True,
        complexity=2,
        max_talkers=3,
        shared_mix=True,
    ),
    Measures(
        "larger buffers and frames, no FEC",
        "The server is short of time: sound comes a little later than usual.",
        defer_chores=True,
        complexity=0,
        max_talkers=3,
        shared_mix=True,
        extra_target_ms=40,
        min_frame_ms=40,
        fec=False,
    ),
    Measures(
        "the loudest sender's packets as they are",
        "The server is very short of time: only the loudest person is heard.",
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
        "The server cannot keep time: nobody can join now, and the room is to be moved.",
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
