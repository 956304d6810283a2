"""The shared segment (``core/state/layout.py``) over a memfd: blob tables and typed columns."""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.core.state.layout import Capacity, Table

_ROW: Final = struct.Struct("<IIII")
_SEQ: Final = struct.Struct("<I")
_PAGE: Final = 4096
_HIGH_WATER_AT: Final = layout.HEADER_BYTES // 2
"""Behind the header words: rows ever used, u32 for each table."""


class SegmentError(RuntimeError):
    """The memory handed over is not a segment of this version."""


class BlobTable:
    """Rows of bytes with one writer; a reader sees a whole row or none (sequence lock + CRC-32)."""

    def __init__(self, memory: mmap.mmap, offset: int, table: Table, high_at: int) -> None:
        self._memory = memory
        self._offset = offset
        self._high_at = high_at
        self._row_bytes = table.row_bytes
        self.name = table.name
        self.rows = table.rows
        self.max_bytes = table.row_bytes - layout.ROW_HEADER_BYTES
        words = np.frombuffer(memory, np.uint32, table.nbytes // 4, offset)
        self.sequences: NDArray[np.uint32] = words[:: table.row_bytes // 4]
        """Sequence number of each row: it grows with each write. Look at ``[:high]`` only, as a
        look at a row takes its memory."""

    @property
    def high(self) -> int:
        """Rows at and above this one have never been written."""
        return int(_SEQ.unpack_from(self._memory, self._high_at)[0])

    def write(self, row: int, blob: bytes) -> None:
        """Replace a row. Raises ``ValueError`` when ``blob`` is longer than ``max_bytes``."""
        if len(blob) > self.max_bytes:
            raise ValueError(f"{self.name} row holds {self.max_bytes} bytes, got {len(blob)}")
        if not 0 <= row < self.rows:
            raise IndexError(f"{self.name} has {self.rows} rows, no row {row}")
        if row >= self.high:
            _SEQ.pack_into(self._memory, self._high_at, row + 1)
        at = self._offset + row * self._row_bytes
        sequence = (_SEQ.unpack_from(self._memory, at)[0] | 1) & 0xFFFF_FFFF
        _SEQ.pack_into(self._memory, at, sequence)
        body = at + layout.ROW_HEADER_BYTES
        self._memory[body : body + len(blob)] = blob
        done = (sequence + 1) & 0xFFFF_FFFF
        _ROW.pack_into(self._memory, at, sequence, len(blob), zlib.crc32(blob), 0)
        _SEQ.pack_into(self._memory, at, done)

    def clear(self, row: int) -> None:
        """Make the row empty."""
        self.write(row, b"")

    def read(self, row: int) -> bytes | None:
        """The row's bytes; None when empty, or when its writer died or is in the middle."""
        at = self._offset + row * self._row_bytes
        for _ in range(3):
            sequence, length, crc, _spare = _ROW.unpack_from(self._memory, at)
            if length == 0 or length > self.max_bytes:
                return None
            body = at + layout.ROW_HEADER_BYTES
            blob = self._memory[body : body + length]
            after = _SEQ.unpack_from(self._memory, at)[0]
            if sequence == after and not sequence & 1 and zlib.crc32(blob) == crc:
                return blob
        return None

    def used(self) -> Iterator[tuple[int, bytes]]:
        """All readable, non-empty rows."""
        for row in range(self.high):
            blob = self.read(row)
            if blob is not None:
                yield row, blob


class Segment:
    """One media process's segment, mapped. ``create`` once in the keeper, ``attach`` elsewhere."""

    def __init__(self, memory: mmap.mmap, capacity: Capacity) -> None:
        self._memory = memory
        self.capacity = capacity
        self.header: NDArray[np.int64] = np.frombuffer(
            memory, np.int64, len(layout.HEADER_WORDS), 0
        )
        self._word = {name: i for i, name in enumerate(layout.HEADER_WORDS)}
        at = layout.HEADER_BYTES
        self.tables: dict[str, BlobTable] = {}
        for i, table in enumerate(capacity.tables()):
            self.tables[table.name] = BlobTable(memory, at, table, _HIGH_WATER_AT + 4 * i)
            at += _round_up(table.nbytes)
        self.columns: dict[str, NDArray[np.generic]] = {}
        for name, code in layout.MEDIA_COLUMNS:
            dtype = np.dtype(code)
            self.columns[name] = np.frombuffer(memory, dtype, capacity.legs, at)
            at += _round_up(dtype.itemsize * capacity.legs)
        self.room_columns: dict[str, NDArray[np.generic]] = {}
        for name, code in layout.ROOM_COLUMNS:
            dtype = np.dtype(code)
            self.room_columns[name] = np.frombuffer(memory, dtype, capacity.rooms, at)
            at += _round_up(dtype.itemsize * capacity.rooms)
        self.counters: NDArray[np.int64] = np.frombuffer(memory, np.int64, stats.WORDS, at)
        at += _round_up(stats.WORDS * 8)
        self.ticks: NDArray[np.int64] = np.frombuffer(
            memory, np.int64, layout.TICK_RING * stats.TICK_WORDS, at
        ).reshape(layout.TICK_RING, stats.TICK_WORDS)
        """Ring of recent ticks, row = ticks counter % TICK_RING; columns stats.TICK_FIELDS."""

    def word(self, name: str) -> int:
        """A header word by its name in ``layout.HEADER_WORDS``."""
        return int(self.header[self._word[name]])

    def set_word(self, name: str, value: int) -> None:
        """Write a header word; each word has one writer."""
        self.header[self._word[name]] = value


def _round_up(size: int) -> int:
    return (size + _PAGE - 1) // _PAGE * _PAGE


def segment_bytes(capacity: Capacity) -> int:
    """Size of a segment; sparse, memory is taken where it is touched."""
    size = layout.HEADER_BYTES + sum(_round_up(t.nbytes) for t in capacity.tables())
    size += sum(
        _round_up(np.dtype(code).itemsize * capacity.legs) for _, code in layout.MEDIA_COLUMNS
    )
    size += sum(
        _round_up(np.dtype(code).itemsize * capacity.rooms) for _, code in layout.ROOM_COLUMNS
    )
    size += _round_up(stats.WORDS * 8) + _round_up(layout.TICK_RING * stats.TICK_WORDS * 8)
    return size


def attach(fd: int, capacity: Capacity | None = None) -> Segment:
    """Map the segment behind ``fd``; the first one to come formats it.

    Raises ``SegmentError`` when it was formatted by another version.
    """
    capacity = capacity or Capacity()
    size = segment_bytes(capacity)
    if os.fstat(fd).st_size < size:
        os.ftruncate(fd, size)
    segment = Segment(mmap.mmap(fd, size), capacity)
    if segment.word("magic") == 0:
        segment.set_word("layout_version", layout.LAYOUT_VERSION)
        segment.set_word("leg_capacity", capacity.legs)
        segment.set_word("room_capacity", capacity.rooms)
        segment.set_word("magic", layout.MAGIC)
    if (
        segment.word("magic") != layout.MAGIC
        or segment.word("layout_version") != layout.LAYOUT_VERSION
    ):
        raise SegmentError("shared memory has another layout version: restart the keeper")
    return segment
