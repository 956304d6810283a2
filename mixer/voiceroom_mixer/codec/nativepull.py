"""``PullBatch`` over the compiled kernel ``vr_pull`` (native/src/mix_pull.c) and libopus."""

from __future__ import annotations

import ctypes
import struct
from typing import Any, Final

from voiceroom_mixer.core.mix.resample import FractionalResampler
from voiceroom_mixer.core.receive.batch import Pulled
from voiceroom_mixer.core.receive.decoder import Decoder
from voiceroom_mixer.core.receive.jitter import Packet

CAPACITY: Final = 8
"""Rows: so many decodes run between two looks at the time."""
_ROW: Final = struct.Struct("=QQQqiiiiiiIfiiiiif")
"""``struct vr_pull_row``."""
_MADE: Final = struct.Struct("=iiIfiiiiif")
"""Its part that the kernel writes: start, end, fraction, last_sample, status and what follows."""
_MADE_AT: Final = _ROW.size - _MADE.size
_SEAM: Final = 1
_QUIET: Final = 2


class NativePulls:
    """Rows are packed from the senders' own numbers and unpacked into them: no state in between."""

    capacity = CAPACITY

    def __init__(self, run: Any, codec: ctypes.Structure) -> None:
        """``run``: the kernel; ``codec``: a ``struct vr_codec``."""
        self._run = run
        run.restype, run.argtypes = None, [ctypes.c_void_p] * 3 + [ctypes.c_int] * 2
        self._codec = codec
        self._codec_address = ctypes.addressof(codec)
        self._memory = ctypes.create_string_buffer(CAPACITY * _ROW.size)
        self._packets = (ctypes.c_char_p * CAPACITY)()
        self._addresses = (ctypes.addressof(self._memory), ctypes.addressof(self._packets))
        self._fifos: list[FractionalResampler] = []

    def add(
        self,
        out_address: int,
        decoder: Decoder,
        fifo: FractionalResampler,
        packet: Packet | None,
        excess: int,
        seam: bool,
        last_sample: float,
    ) -> bool:
        """Another row; False for a codec that is not libopus, and beyond ``capacity``."""
        row, handle, size, flags = len(self._fifos), 0, 0, _SEAM if seam else 0
        if row >= CAPACITY:
            return False
        if packet is not None:
            handle, size = getattr(decoder, "handle", 0), len(packet.payload)
            if not handle or not size:
                return False
            self._packets[row] = packet.payload
            flags |= _QUIET if packet.quiet else 0
        _ROW.pack_into(
            self._memory,
            row * _ROW.size,
            *(handle, out_address, fifo.address, fifo.step, fifo.size, size, flags, excess),
            *(fifo.start, fifo.end, fifo.fraction, last_sample),
            *(0, 0, 0, 0, 0, 0.0),
        )
        self._fifos.append(fifo)
        return True

    def run(self, samples: int) -> list[Pulled]:
        """Make the frames of all rows and forget the rows."""
        fifos, memory = self._fifos, self._memory
        rows, packets = self._addresses
        self._run(self._codec_address, rows, packets, len(fifos), samples)
        made, at = [], _MADE_AT
        for fifo in fifos:
            fifo.start, fifo.end, fifo.fraction, *rest = _MADE.unpack_from(memory, at)
            made.append(Pulled._make(rest))
            at += _ROW.size
        fifos.clear()
        return made
