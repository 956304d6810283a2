"""What every codec of ours can do. 48 kHz mono float PCM on one side, packets on the other."""

from __future__ import annotations

from typing import Final, Protocol

from voiceroom_mixer.core.mix.encoding import EncoderSettings, FrameEncoder
from voiceroom_mixer.core.receive.source import Pcm

__all__ = [
    "MAX_PACKET_SAMPLES",
    "QUANTUM_SAMPLES",
    "CodecError",
    "CodecUnavailable",
    "Decoder",
    "Encoder",
    "EncoderSettings",
    "check_span",
]

MAX_PACKET_SAMPLES: Final = 5_760
"""120 ms, the longest Opus packet (RFC 6716 §3.1)."""
QUANTUM_SAMPLES: Final = 120
"""2.5 ms: everything that is decoded or concealed is a multiple of it."""


class CodecError(ValueError):
    """A packet cannot be decoded, or PCM not encoded; the codec can go on with the next."""


class CodecUnavailable(RuntimeError):
    """No codec library could be loaded; the message says what was tried and what to install."""


class Encoder(FrameEncoder, Protocol):
    """PCM to packets; ``core/mix/encoding.py`` says what each call means.

    ``encode`` raises ``CodecError`` for a frame that is not 2.5 to 60 ms long.
    """


class Decoder(Protocol):
    """Packets to PCM. The arrays returned are views, good until the next call."""

    @property
    def handle(self) -> int:
        """Address of the codec's state in libopus, for the compiled kernels; 0 = not libopus."""

    def decode(self, payload: bytes) -> Pcm:
        """All samples of one packet. Raises ``CodecError`` for anything malformed."""

    def plc(self, samples: int) -> Pcm:
        """Conceal a loss of ``samples`` (a multiple of 2.5 ms, at most 120 ms)."""

    def fec(self, payload: bytes, samples: int) -> Pcm:
        """The lost packet of ``samples`` before ``payload``, from the copy that ``payload``
        carries; concealed where it carries none. ``payload`` itself is decoded afterwards."""

    def packet_samples(self, payload: bytes) -> int:
        """Duration of a packet in samples. Raises ``CodecError`` for anything malformed."""

    def has_fec(self, payload: bytes) -> bool:
        """Whether ``payload`` carries a copy of the packet before it; False when malformed."""

    def reset(self) -> None:
        """Forget all sound, as for a new stream."""

    def close(self) -> None:
        """Release the memory; nothing else may be called after it."""


def check_span(samples: int) -> None:
    """Raises ``CodecError`` for a span that no decoder can fill."""
    if not 0 < samples <= MAX_PACKET_SAMPLES or samples % QUANTUM_SAMPLES:
        raise CodecError(
            f"cannot fill {samples} samples: a multiple of {QUANTUM_SAMPLES}, "
            f"at most {MAX_PACKET_SAMPLES}"
        )
