"""The values of a frame: who may be heard, what was pulled of whom, what is sent on as it came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from voiceroom_api.units import SILENT_LEVEL
from voiceroom_mixer.core.receive.batch import BatchSource
from voiceroom_mixer.core.receive.source import (
    AudioSource,
    FrameKind,
    PacketOut,
    PassingSource,
    Pcm,
    VoicedSource,
)


class Row(NamedTuple):
    """One talker's sound in one frame."""

    slot: int
    participant: str
    frame: Pcm
    gain: float
    """Linear gain that is reached at the end of the frame; 0 for who leaves the mix."""
    level: int
    sounds: bool
    """Not digital silence."""
    enters: bool = False
    """Has nothing to do with an earlier talker in the same slot: fades in from zero."""
    tail: bool = False
    """Nothing could be pulled: a short decay of the last sample, at the gain there was."""


@dataclass(slots=True)
class Collected:
    """One frame of all talkers."""

    rows: list[Row] = field(default_factory=list)
    """In the order of their slots."""
    talkers: tuple[int, ...] = ()
    """In the mix, loudest first."""
    cut: int = 0
    """Talkers for whom there was no time."""
    kinds: list[int] = field(default_factory=lambda: [0] * len(FrameKind))
    """Frames pulled, by ``FrameKind``."""
    faults: list[int] = field(default_factory=list)
    """Senders that raised; they are out of the mix for good."""


@dataclass(slots=True)
class Sender:
    """One who may be heard."""

    slot: int
    source: AudioSource
    participant: str
    gain: float
    muted: bool
    voiced: VoicedSource | None
    batched: BatchSource | None
    passing: PassingSource | None
    fresh: bool = True
    last_sample: float = 0.0
    frame: Pcm | None = None
    kind: FrameKind = FrameKind.SILENCE
    level: int = SILENT_LEVEL
    """Measured in the frame that was pulled last."""


class PassedOn(NamedTuple):
    """One frame of a room whose loudest sender is sent on as he comes."""

    slot: int = -1
    """His; -1 = everybody is silent."""
    participant: str = ""
    level: int = SILENT_LEVEL
    packets: tuple[PacketOut, ...] = ()
    faults: tuple[int, ...] = ()
