"""Opus over libopus (RFC 6716): 48 kHz, mono, float, no allocation for each frame.

Variadic controls are called with declared C types; that is right for the calling conventions of
Linux on x86-64 and arm64, which are what the mixer runs on.
"""

from __future__ import annotations

import weakref
from ctypes import c_int, c_int32, c_void_p, create_string_buffer
from typing import Any, Final

import numpy as np

from voiceroom_api.units import SAMPLE_RATE
from voiceroom_mixer.codec import toc
from voiceroom_mixer.codec.base import (
    MAX_PACKET_SAMPLES,
    CodecError,
    CodecUnavailable,
    EncoderSettings,
    check_span,
)
from voiceroom_mixer.codec.library import OpusLibrary, load
from voiceroom_mixer.core.receive.source import Pcm

MAX_PACKET_BYTES: Final = 1_275
ENCODER_LOOKAHEAD_SAMPLES: Final = 312
"""6.5 ms that the encoder keeps back at 48 kHz with the VOIP application."""

_APPLICATION_VOIP: Final = 2_048
_SET_BITRATE: Final = 4_002
_SET_COMPLEXITY: Final = 4_010
_SET_INBAND_FEC: Final = 4_012
_SET_PACKET_LOSS: Final = 4_014
_SET_DTX: Final = 4_016
_SET_SIGNAL: Final = 4_024
_RESET: Final = 4_028
_SET_PREDICTION_DISABLED: Final = 4_042
_SET_FORCE_MODE: Final = 11_002
_MODE_CELT: Final = 1_002
_AUTO: Final = -1_000
_SIGNAL_VOICE: Final = 3_001
_ENCODABLE: Final = frozenset({120, 240, 480, 960, 1920, 2880})


def _create(function: Any, *arguments: int) -> c_void_p:
    error = c_int(0)
    state = function(*arguments, error)
    if error.value or not state:
        raise CodecUnavailable(f"libopus could not make a codec: error {error.value}")
    return c_void_p(state)


def _closed(*_arguments: object) -> int:
    raise CodecError("the codec is closed")


class OpusEncoder:
    """One encoder. CELT-only unless FEC is asked for (``EncoderSettings.fec``)."""

    def __init__(
        self, settings: EncoderSettings | None = None, library: OpusLibrary | None = None
    ) -> None:
        """Raises ``CodecUnavailable``."""
        self._library = library or load()
        self._encode: Any = self._library.encode_float
        self._ctl: Any = self._library.encoder_ctl
        self._state = _create(self._library.encoder_create, SAMPLE_RATE, 1, _APPLICATION_VOIP)
        self._release = weakref.finalize(self, self._library.encoder_destroy, self._state)
        self.handle = self._state.value or 0
        """Address of libopus's state, for the compiled kernels; 0 once closed."""
        self._packet = create_string_buffer(MAX_PACKET_BYTES)
        self._input = np.zeros(max(_ENCODABLE), np.float32)
        self._input_address = self._input.ctypes.data
        self._controls: dict[int, int] = {}
        self._control(_SET_SIGNAL, _SIGNAL_VOICE)
        self.configure(settings or EncoderSettings())

    def configure(self, settings: EncoderSettings) -> None:
        """Apply what differs. Raises ``CodecError`` for a value that libopus refuses."""
        self._control(_SET_BITRATE, settings.bitrate_bps)
        self._control(_SET_COMPLEXITY, settings.complexity)
        self._control(_SET_INBAND_FEC, int(settings.fec))
        self._control(_SET_PACKET_LOSS, settings.loss_percent)
        self._control(_SET_DTX, int(settings.dtx))
        self._control(_SET_FORCE_MODE, _AUTO if settings.fec else _MODE_CELT)

    def encode(self, pcm: Pcm, *, independent: bool = False) -> bytes:
        """One packet; raises ``CodecError`` for a length that Opus has no frame for."""
        samples = len(pcm)
        if samples not in _ENCODABLE:
            raise CodecError(f"cannot encode {samples} samples: must be {sorted(_ENCODABLE)}")
        self._input[:samples] = pcm
        if independent:
            self._control(_SET_PREDICTION_DISABLED, 1)
        length = self._encode(
            self._state, self._input_address, samples, self._packet, MAX_PACKET_BYTES
        )
        if independent:
            self._control(_SET_PREDICTION_DISABLED, 0)
        if length < 0:
            raise CodecError(f"libopus could not encode: {self._library.error(length)}")
        return self._packet.raw[:length]

    def reset(self) -> None:
        """Forget all sound; the settings stay."""
        self._ctl(self._state, c_int(_RESET))

    def close(self) -> None:
        """Release libopus's memory; done at collection too. Calls after it raise ``CodecError``."""
        self._release()
        self.handle = 0
        self._encode = self._ctl = _closed

    def _control(self, request: int, value: int) -> None:
        if self._controls.get(request) == value:
            return
        status = self._ctl(self._state, c_int(request), c_int32(value))
        if status:
            reason = self._library.error(status)
            raise CodecError(f"libopus refused control {request} = {value}: {reason}")
        self._controls[request] = value


class OpusDecoder:
    """One decoder; stereo packets come out as mono. Returned arrays are views of one buffer."""

    def __init__(self, library: OpusLibrary | None = None) -> None:
        """Raises ``CodecUnavailable``."""
        self._library = library or load()
        self._decode: Any = self._library.decode_float
        self._ctl: Any = self._library.decoder_ctl
        self._state = _create(self._library.decoder_create, SAMPLE_RATE, 1)
        self._release = weakref.finalize(self, self._library.decoder_destroy, self._state)
        self.handle = self._state.value or 0
        """Address of libopus's state, for the compiled kernels; 0 once closed."""
        self._pcm = np.zeros(MAX_PACKET_SAMPLES, np.float32)
        self._address = self._pcm.ctypes.data

    def decode(self, payload: bytes) -> Pcm:
        """All samples of one packet. Raises ``CodecError`` for anything malformed."""
        if not payload:
            raise CodecError("Opus packet is empty")
        return self._run(payload, MAX_PACKET_SAMPLES, 0)

    def plc(self, samples: int) -> Pcm:
        """Conceal a loss of ``samples``."""
        check_span(samples)
        return self._run(None, samples, 0)

    def fec(self, payload: bytes, samples: int) -> Pcm:
        """The lost packet of ``samples`` before ``payload``; concealed where it has no copy."""
        check_span(samples)
        if not payload:
            raise CodecError("Opus packet is empty")
        return self._run(payload, samples, 1)

    def packet_samples(self, payload: bytes) -> int:
        """Duration of a packet in samples. Raises ``CodecError`` for anything malformed."""
        return toc.packet_samples(payload)

    def has_fec(self, payload: bytes) -> bool:
        """Whether ``payload`` carries a low-bit-rate copy of the packet before it."""
        return toc.has_lbrr(payload)

    def reset(self) -> None:
        """Forget all sound."""
        self._ctl(self._state, c_int(_RESET))

    def close(self) -> None:
        """Release libopus's memory; done at collection too. Calls after it raise ``CodecError``."""
        self._release()
        self.handle = 0
        self._decode = self._ctl = _closed

    def _run(self, payload: bytes | None, samples: int, fec: int) -> Pcm:
        size = len(payload) if payload else 0
        count = self._decode(self._state, payload, size, self._address, samples, fec)
        if count < 0:
            raise CodecError(f"libopus could not decode: {self._library.error(count)}")
        return self._pcm[:count]
