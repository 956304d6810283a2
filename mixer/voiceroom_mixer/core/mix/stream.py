"""One distinct mix on its way from the sum to the packet: limiter, encoder, silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from voiceroom_mixer.core.mix.encoding import EncoderPolicy, EncoderSettings, FrameEncoder
from voiceroom_mixer.core.mix.kernel import MixKernel, StreamMemory
from voiceroom_mixer.core.mix.limiter import Limiter
from voiceroom_mixer.core.receive.source import Pcm

MAX_ENCODERS: Final = 256
"""Of one room: far beyond what one process can encode in a frame."""
_SPARE_ENCODERS: Final = 8
_WORTH_SENDING: Final = 3
"""Bytes: an Opus packet of two or less says that nothing needs to be sent (DTX)."""


class EncoderBank:
    """The room's encoders: bounded, used again, counted."""

    def __init__(self, factory: Callable[[], FrameEncoder], bound: int = MAX_ENCODERS) -> None:
        self._factory = factory
        self._bound = bound
        self._spare: list[FrameEncoder] = []
        self.in_use = 0
        self.refused = 0
        self.encodes = 0
        """Packets made."""
        self.primes = 0
        """Encoder runs beyond that, to start a new mix without a gap."""

    def acquire(self, settings: EncoderSettings) -> FrameEncoder | None:
        """A silent encoder with these settings; None, counted in ``refused``, at the bound."""
        if self.in_use >= self._bound:
            self.refused += 1
            return None
        encoder = self._spare.pop() if self._spare else self._factory()
        encoder.reset()
        encoder.configure(settings)
        self.in_use += 1
        return encoder

    def release(self, encoder: FrameEncoder) -> None:
        """Take an encoder back."""
        self.in_use -= 1
        if len(self._spare) < _SPARE_ENCODERS:
            self._spare.append(encoder)
        else:
            encoder.close()

    def close(self) -> None:
        """Let go of the encoders that nobody uses."""
        for encoder in self._spare:
            encoder.close()
        self._spare.clear()


class MixStream:
    """State of one distinct mix. Silent mixes hold no encoder until they sound."""

    def __init__(self, bank: EncoderBank, policy: EncoderPolicy, samples: int) -> None:
        self._bank = bank
        self._samples = samples
        self._limiter = Limiter()
        self._encoder: FrameEncoder | None = None
        self._applied = policy.settings
        self._limited = self._silence = np.zeros(0, np.float32)
        self.resize(samples)
        self._tail = False
        self._sent = False
        self._independent = False
        self.policy = policy

    @property
    def silent(self) -> bool:
        """Nothing is left to be sent of what has sounded."""
        return not self._tail

    @property
    def sound(self) -> Pcm:
        """The frame that was sent last, as it went into the encoder; a view."""
        return self._limited

    def resize(self, samples: int) -> None:
        """Frames of this length from now on; the sound goes on."""
        before, self._samples = self._limited, samples
        self._limited = np.zeros(samples, np.float32)
        kept = min(len(before), samples)
        self._limited[samples - kept :] = before[len(before) - kept :]
        address = self._limited.ctypes.data
        self._memory = StreamMemory(self._limiter.address, address, self._limited)
        self._silence = np.zeros(samples, np.float32)

    def begin_anew(self) -> None:
        """A listener's decoder comes from another stream: predict nothing in the next frame."""
        self._independent = True

    def continue_from(self, other: MixStream) -> None:
        """Sound on where ``other`` is now, for listeners who come from there."""
        self._drop_encoder()
        self._limiter.continue_from(other._limiter)
        self._limited[:] = other._limited
        self._tail, self._sent = other._tail, other._sent
        self._independent = True

    def rest(self) -> None:
        """Nobody has listened for a while: forget what had sounded."""
        self._limiter.reset()
        self._tail = self._sent = False

    def close(self) -> None:
        """Give the encoder back."""
        self._drop_encoder()

    def emit(self, mixed: Pcm, peak: float, *, sounding: bool) -> tuple[bytes | None, bool]:
        """One frame: the packet, None for silence, and whether it is the first after silence.

        After the last sound one frame more is sent: what limiter and encoder still hold back.
        """
        if not self._begins(sounding):
            return None, False
        encoder = self._ready_encoder()
        self._limiter.process(mixed if sounding else self._silence, self._limited, peak)
        if not sounding:
            self._limiter.reset()
        self._tail = sounding
        payload = encoder.encode(self._limited, independent=self._new_start) if encoder else b""
        return self.settle(payload)

    def stage(self, kernel: MixKernel, row: int, *, sounding: bool) -> bool:
        """As ``emit``, in a kernel: False for silence, else ``settle`` with what it makes."""
        if not self._begins(sounding):
            return False
        encoder = self._ready_encoder()
        kernel.add(self._memory, encoder, row, sounding=sounding, independent=self._new_start)
        self._tail = sounding
        return True

    def settle(self, payload: bytes) -> tuple[bytes | None, bool]:
        """The packet that is sent, None for silence, and whether it is the first after silence."""
        if self._encoder is None:
            self._sent = False
            return None, False
        self._independent = False
        self._bank.encodes += 1
        resumed = not self._sent
        self._sent = len(payload) >= _WORTH_SENDING
        return (payload, resumed) if self._sent else (None, False)

    def _begins(self, sounding: bool) -> bool:
        """One frame of time passes; whether there is anything to send in it."""
        if self.policy.settings.fec:
            self.policy.advance(self._samples // 48)
        if not sounding and not self._tail:
            self._sent = False
            return False
        return True

    @property
    def _new_start(self) -> bool:
        """The listeners' decoders have not heard the frame before."""
        return self._independent or not self._sent

    def _ready_encoder(self) -> FrameEncoder | None:
        settings = self.policy.settings
        if self._encoder is None:
            self._encoder = self._bank.acquire(settings)
            if self._encoder is not None:
                self._prime(self._encoder)
        elif self._applied is not settings:
            self._encoder.configure(settings)
        self._applied = settings
        return self._encoder

    def _prime(self, encoder: FrameEncoder) -> None:
        """Give the encoder the frame before: it keeps some milliseconds back, and the listeners
        still have to hear them."""
        if self._tail:
            encoder.encode(self._limited)
            self._bank.primes += 1
            self._independent = True

    def _drop_encoder(self) -> None:
        if self._encoder is not None:
            self._bank.release(self._encoder)
            self._encoder = None
