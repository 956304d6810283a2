"""``MixKernel`` over the compiled kernel ``vr_mix`` (native/src/mix_bus.c) and libopus."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Final

from voiceroom_mixer.codec.base import CodecError
from voiceroom_mixer.codec.opus import MAX_PACKET_BYTES
from voiceroom_mixer.core.mix.bus import fall
from voiceroom_mixer.core.mix.encoding import FrameEncoder
from voiceroom_mixer.core.mix.kernel import GainTable, StreamMemory
from voiceroom_mixer.core.mix.limiter import AIM, CEILING
from voiceroom_mixer.core.receive.source import Pcm

_MIXES: Final = 32
"""Of one frame, to begin with."""
_ROW: Final = struct.Struct("=QQQiii4x")
"""``struct vr_mix_row``; the last number is the kernel's answer."""
_LENGTH: Final = struct.Struct("=i")
_LENGTH_AT: Final = 32
_FRAME: Final = struct.Struct("=QQQQddii")
"""``struct vr_mix_frame``."""
_POINTER_BYTES: Final = 8
_SOUNDING: Final = 1
_INDEPENDENT: Final = 2


class NativeMix:
    """Rows wait packed as the kernel reads them; memory for one run is kept, and nothing else."""

    def __init__(self, run: Any, codec: ctypes.Structure) -> None:
        """``run``: the kernel; ``codec``: a ``struct vr_codec``."""
        self._run = run
        run.restype = ctypes.c_int
        run.argtypes = [*(ctypes.c_void_p,) * 3, ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
        self._codec = codec
        self._codec_address = ctypes.addressof(codec)
        self._frame = ctypes.create_string_buffer(_FRAME.size)
        self._talkers = ctypes.create_string_buffer(16 * _POINTER_BYTES)
        self._falls: dict[int, tuple[Pcm, int]] = {}
        self._waiting: list[tuple[FrameEncoder, Pcm, bool] | None] = []
        """For each row the encoder that Python must call, its sound, and whether it is new."""
        self._rows = ctypes.create_string_buffer(0)
        self._make_room(_MIXES)

    def add(
        self,
        memory: StreamMemory,
        encoder: FrameEncoder | None,
        row: int,
        *,
        sounding: bool,
        independent: bool,
    ) -> None:
        """As ``MixKernel.add``; an encoder that is not libopus's is called from here."""
        handle = getattr(encoder, "handle", 0)
        flags = (_SOUNDING if sounding else 0) | (_INDEPENDENT if independent else 0)
        at = len(self._waiting)
        if at == self._room:
            self._make_room(2 * at)
        _ROW.pack_into(
            self._rows, at * _ROW.size, memory.limiter, memory.limited, handle, flags, row, 0
        )
        foreign = encoder if not handle else None
        self._waiting.append(None if foreign is None else (foreign, memory.sound, independent))

    def _make_room(self, rows: int) -> None:
        """For so many mixes of one frame; a room never has more of them than listeners."""
        waiting = self._rows
        self._room = rows
        self._rows = ctypes.create_string_buffer(rows * _ROW.size)
        ctypes.memmove(self._rows, waiting, len(waiting))
        self._packets = ctypes.create_string_buffer(rows * MAX_PACKET_BYTES)
        self._view = memoryview(self._packets)
        self._addresses = (ctypes.addressof(self._rows), ctypes.addressof(self._packets))

    def run(self, frames: list[int], gains: GainTable, samples: int) -> list[bytes]:
        """As ``MixKernel.run``. Raises ``CodecError`` when libopus refuses a frame."""
        waiting, self._waiting = self._waiting, []
        shape = (self._fall(samples), CEILING, AIM, len(frames), samples)
        _FRAME.pack_into(self._frame, 0, self._point(frames), *gains.addresses, *shape)
        rows, packets = self._addresses
        frame, count = ctypes.addressof(self._frame), len(waiting)
        room = MAX_PACKET_BYTES
        if self._run(self._codec_address, frame, rows, count, packets, room) != count:
            raise CodecError(f"a frame of {samples} samples cannot be mixed")
        return [
            self._packet(at) if foreign is None else _encode(*foreign)
            for at, foreign in enumerate(waiting)
        ]

    def _packet(self, at: int) -> bytes:
        (length,) = _LENGTH.unpack_from(self._rows, at * _ROW.size + _LENGTH_AT)
        if length < 0:
            raise CodecError(f"libopus could not encode: error {length}")
        begin = at * MAX_PACKET_BYTES
        return bytes(self._view[begin : begin + length])

    def _point(self, frames: list[int]) -> int:
        """Address of an array of these addresses."""
        if len(frames) * _POINTER_BYTES > len(self._talkers):
            self._talkers = ctypes.create_string_buffer(2 * len(frames) * _POINTER_BYTES)
        struct.pack_into(f"={len(frames)}Q", self._talkers, 0, *frames)
        return ctypes.addressof(self._talkers)

    def _fall(self, samples: int) -> int:
        """Address of the ramp for frames of this length (three are in use); held, not copied."""
        if samples not in self._falls:
            ramp = fall(samples)
            self._falls[samples] = (ramp, ramp.ctypes.data)
        return self._falls[samples][1]


def _encode(encoder: FrameEncoder, sound: Pcm, independent: bool) -> bytes:
    return encoder.encode(sound, independent=independent)
