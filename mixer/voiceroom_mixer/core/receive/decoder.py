"""What playout asks of a codec; ``codec/base.py`` has the real ones."""

from __future__ import annotations

from typing import Protocol

from voiceroom_mixer.core.receive.source import Pcm


class Decoder(Protocol):
    """Packets to 48 kHz mono PCM. Arrays returned are views, good until the next call.

    Whatever cannot be decoded raises ``ValueError``; the next call is good again.
    """

    def decode(self, payload: bytes) -> Pcm:
        """All samples of one packet."""

    def plc(self, samples: int) -> Pcm:
        """Conceal ``samples``, a multiple of 2.5 ms and at most 120 ms."""

    def fec(self, payload: bytes, samples: int) -> Pcm:
        """The lost packet of ``samples`` before ``payload``."""

    def packet_samples(self, payload: bytes) -> int:
        """Duration of a packet."""

    def has_fec(self, payload: bytes) -> bool:
        """Whether ``payload`` carries a copy of the packet before it."""

    def reset(self) -> None:
        """Forget all sound."""
