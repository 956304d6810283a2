"""A decoder that exists while there is something to decode: most legs of a big room are never
heard, and the others are silent most of the time."""

from __future__ import annotations

from collections.abc import Callable

from voiceroom_mixer.codec.base import Decoder
from voiceroom_mixer.core.receive.source import Pcm


class LazyDecoder:
    """Stands for a ``Decoder`` and makes it when there is something to decode.

    libopus keeps 30 to 100 KiB a decoder; making one takes about 50 us.
    """

    __slots__ = ("_decoder", "_make")

    def __init__(self, make: Callable[[], Decoder]) -> None:
        self._make = make
        self._decoder: Decoder | None = None

    @property
    def made(self) -> bool:
        """Whether the decoder exists."""
        return self._decoder is not None

    @property
    def handle(self) -> int:
        """As ``Decoder.handle``: the decoder is made for it."""
        return (self._decoder or self._real()).handle

    def _real(self) -> Decoder:
        if self._decoder is None:
            self._decoder = self._make()
        return self._decoder

    def decode(self, payload: bytes) -> Pcm:
        """As ``Decoder.decode``."""
        return self._real().decode(payload)

    def plc(self, samples: int) -> Pcm:
        """As ``Decoder.plc``."""
        return self._real().plc(samples)

    def fec(self, payload: bytes, samples: int) -> Pcm:
        """As ``Decoder.fec``."""
        return self._real().fec(payload, samples)

    def packet_samples(self, payload: bytes) -> int:
        """As ``Decoder.packet_samples``."""
        return self._real().packet_samples(payload)

    def has_fec(self, payload: bytes) -> bool:
        """As ``Decoder.has_fec``."""
        return self._real().has_fec(payload)

    def reset(self) -> None:
        """As ``Decoder.reset``: a new one has nothing to forget, and is made when it is needed."""
        self.close()

    def close(self) -> None:
        """As ``Decoder.close``."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
