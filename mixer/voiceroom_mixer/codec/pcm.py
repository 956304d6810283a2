"""A codec that changes nothing: what a test expects of Opus can be stated exactly with it.

A packet is one byte of flags, the frame's length in samples, the frame as float32, and with FEC
the frame before it as well.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from voiceroom_mixer.codec.base import (
    MAX_PACKET_SAMPLES,
    QUANTUM_SAMPLES,
    CodecError,
    EncoderSettings,
    check_span,
)
from voiceroom_mixer.core.receive.source import Pcm

_HEAD: Final = struct.Struct("!BH")
_WITH_COPY: Final = 1
_SAMPLE_BYTES: Final = 4
_PLC_FADE: Final = 0.5


class PcmEncoder:
    """Frames to packets, exactly; DTX gives one byte for digital silence."""

    def __init__(self, settings: EncoderSettings | None = None) -> None:
        self._settings = settings or EncoderSettings()
        self._last = b""

    def configure(self, settings: EncoderSettings) -> None:
        """FEC and DTX have a meaning here; the rest does not."""
        self._settings = settings

    def encode(self, pcm: Pcm, *, independent: bool = False) -> bytes:
        """One packet; ``independent`` leaves the copy of the frame before out."""
        if not 0 < len(pcm) <= MAX_PACKET_SAMPLES or len(pcm) % QUANTUM_SAMPLES:
            raise CodecError(f"cannot encode {len(pcm)} samples")
        last, self._last = self._last, pcm.astype("<f4").tobytes()
        if self._settings.dtx and not pcm.any():
            return b"\0"
        copy = last if self._settings.fec and not independent else b""
        return _HEAD.pack(_WITH_COPY if copy else 0, len(pcm)) + self._last + copy

    def reset(self) -> None:
        """Forget the frame before."""
        self._last = b""

    def close(self) -> None:
        """Nothing is held."""


class PcmDecoder:
    """Packets to frames; a loss is the last frame again, at half its level."""

    handle = 0
    """Not of libopus: no kernel decodes this."""

    def __init__(self) -> None:
        self._last = np.zeros(MAX_PACKET_SAMPLES, np.float32)

    def decode(self, payload: bytes) -> Pcm:
        """The frame itself. Raises ``CodecError`` for a packet that is not ours."""
        samples = self.packet_samples(payload)
        frame = np.frombuffer(payload, "<f4", samples, _HEAD.size).astype(np.float32)
        return self._keep(frame)

    def plc(self, samples: int) -> Pcm:
        """The last frame's end at half its level."""
        check_span(samples)
        return self._keep(self._last[-samples:] * np.float32(_PLC_FADE))

    def fec(self, payload: bytes, samples: int) -> Pcm:
        """The copy that ``payload`` carries, else ``plc``."""
        check_span(samples)
        own = self.packet_samples(payload)
        copy = payload[_HEAD.size + own * _SAMPLE_BYTES :]
        if len(copy) != samples * _SAMPLE_BYTES:
            return self.plc(samples)
        return self._keep(np.frombuffer(copy, "<f4").astype(np.float32))

    def packet_samples(self, payload: bytes) -> int:
        """Duration in samples. Raises ``CodecError`` for a packet that is not ours."""
        if len(payload) < _HEAD.size:
            raise CodecError("PCM packet is truncated")
        flags, samples = _HEAD.unpack_from(payload)
        body = len(payload) - _HEAD.size
        if flags > _WITH_COPY or not 0 < samples <= MAX_PACKET_SAMPLES:
            raise CodecError("PCM packet has an unknown head")
        if samples % QUANTUM_SAMPLES or body < samples * _SAMPLE_BYTES or body % _SAMPLE_BYTES:
            raise CodecError("PCM packet has another length than its head says")
        return int(samples)

    def has_fec(self, payload: bytes) -> bool:
        """Whether the copy of the frame before is there."""
        return len(payload) >= _HEAD.size and payload[0] == _WITH_COPY

    def reset(self) -> None:
        """Forget the last frame."""
        self._last[:] = 0.0

    def close(self) -> None:
        """Nothing is held."""

    def _keep(self, frame: Pcm) -> Pcm:
        self._last = np.concatenate([self._last[len(frame) :], frame])
        return frame
