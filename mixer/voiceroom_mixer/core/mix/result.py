"""What a room's frame comes to: a packet for each distinct mix, and who is heard."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from voiceroom_mixer.core.mix.groups import Slots
from voiceroom_mixer.core.mix.talkers import TalkEvent
from voiceroom_mixer.core.receive.source import FrameKind

Contributors = tuple[tuple[int, int], ...]
"""(slot, -dBov) of who is heard in a mix, loudest first."""


class MixOutput(NamedTuple):
    """One distinct mix of one frame."""

    slots: Slots
    """Its listeners."""
    payload: bytes | None
    """One Opus packet; None is digital silence."""
    contributors: Contributors
    """Who is heard in it, for RFC 6465; empty where no listener is told."""
    resumed: bool
    """The first packet after silence (the RTP marker)."""
    ahead: int = 0
    """Slots of 10 ms from the beginning of the frame to that of the packet."""


@dataclass(slots=True)
class TickResult:
    """All that a frame has brought."""

    outputs: list[MixOutput] = field(default_factory=list)
    events: list[TalkEvent] = field(default_factory=list)
    talkers: tuple[int, ...] = ()
    cut: int = 0
    """Talkers left out because the tick was late."""
    encodes: int = 0
    """Packets made; one for each distinct mix that sounds."""
    primes: int = 0
    """Encoder runs beyond that, to start a new mix without a gap."""
    kinds: list[int] = field(default_factory=lambda: [0] * len(FrameKind))
    """Frames pulled, by ``FrameKind``."""
    passed: int = 0
    """Packets that are sent on as they came."""
    dropped: int = 0
    """Packets that should have been."""
    faults: tuple[int, ...] = ()
    """Senders that raised in this frame and were taken out of the mix."""
