"""What a room's mixer needs of a sender: frames on demand, and how loud it is."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.float32]
"""48 kHz mono in -1..1, shape (samples,)."""


class FrameKind(IntEnum):
    """How the samples of one frame came to be."""

    SILENCE = 0
    """Nothing is heard; the buffer is all zero."""
    AUDIO = 1
    FEC = 2
    PLC = 3
    NOISE = 4
    """Comfort noise after a refill timeout."""


class AudioSource(Protocol):
    """One sender, as ``core/mix`` sees it. ``core/receive/receiver.py`` is the real one."""

    @property
    def active(self) -> bool:
        """Worth looking at in this tick: sound is buffered or due, or was a moment ago."""

    @property
    def level(self) -> int:
        """-dBov of the latest sound, 0 loudest, 127 silent; smoothed for ranking by the caller."""

    @property
    def must_decode(self) -> bool:
        """No RFC 6464 level came with the packets: only decoding tells how loud it is."""

    def pull(self, out: Pcm) -> FrameKind:
        """Fill ``out`` with the next frame and advance playout by its length."""

    def skip(self, samples: int) -> None:
        """Advance playout without decoding (not chosen as talker)."""


class PacketOut(NamedTuple):
    """A sender's packet that is sent on as it came."""

    payload: bytes
    samples: int
    """Its duration."""


@runtime_checkable
class PassingSource(AudioSource, Protocol):
    """A source whose packets can be had as well."""

    @property
    def passable(self) -> bool:
        """Its packets fit the grid."""

    def pass_on(self, samples: int) -> list[PacketOut]:
        """As ``skip``; the packets that were passed over, in their order."""


@runtime_checkable
class VoicedSource(AudioSource, Protocol):
    """A source that also knows the sender's own voice flag (RFC 6464 §3, the V bit)."""

    @property
    def voice(self) -> bool:
        """The sender says that its latest sound is voice: quiet, but not silence."""
