"""A room's frame in one go: sum, limiter and encoder of all its mixes, where a kernel can do that.

What a kernel makes is what ``bus.mix``, ``Limiter.process`` and the encoder would have made one
after the other, but for the last bit of a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from voiceroom_mixer.core.mix.bus import Gains
from voiceroom_mixer.core.mix.encoding import FrameEncoder
from voiceroom_mixer.core.receive.source import Pcm


@dataclass(frozen=True, slots=True)
class GainTable:
    """Who is heard how loud in which mix; shape (mixes, talkers) throughout."""

    before: Gains
    """At the start of the frame."""
    after: Gains
    """At its end."""
    audible: list[list[bool]]
    sounds: list[bool]
    """Whether a mix has any sound in it."""
    steady: bool
    """The same gains at both ends: while nothing changes, good for the next frame too."""
    addresses: tuple[int, int]
    """Of ``before`` and ``after``, C-contiguous float32."""


class StreamMemory(NamedTuple):
    """Where one mix's stream keeps its sound between two frames."""

    limiter: int
    """Address of a ``Limiter``'s state."""
    limited: int
    """Address of ``sound``."""
    sound: Pcm
    """What the limiter made of the frame, shape (samples,)."""


class MixKernel(Protocol):
    """Collects the mixes of one frame, then makes all their packets."""

    def add(
        self,
        memory: StreamMemory,
        encoder: FrameEncoder | None,
        row: int,
        *,
        sounding: bool,
        independent: bool,
    ) -> None:
        """The mix in ``row`` of the gains; no ``encoder``, no packet."""

    def run(self, frames: list[int], gains: GainTable, samples: int) -> list[bytes]:
        """A packet for each mix, in their order, empty without an encoder; all are forgotten then.

        ``frames``: addresses of the talkers' frames, in the order of the table's columns. Raises
        ``ValueError`` for a frame that cannot be encoded.
        """
