"""The shared segment: two processes, one writer per field, and a writer that dies in the middle."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

import pytest

from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.edge import shm
from voiceroom_mixer.edge.shm import Segment, SegmentError

SMALL = Capacity(rooms=4, legs=8, events=4, revoked=4)


@pytest.fixture
def memory() -> Iterator[int]:
    fd = os.memfd_create("segment")
    yield fd
    os.close(fd)


@pytest.fixture
def pair(memory: int) -> tuple[Segment, Segment]:
    """Two views of one segment, as control and media have them."""
    return shm.attach(memory, SMALL), shm.attach(memory, SMALL)


def test_what_one_writes_the_other_reads(pair: tuple[Segment, Segment]) -> None:
    one, two = pair
    one.tables["legs"].write(2, b"state")
    one.columns["rx_packets"][2] = 9
    one.set_word("media_pid", 77)
    assert two.tables["legs"].read(2) == b"state"
    assert two.tables["legs"].read(1) is None
    assert int(two.columns["rx_packets"][2]) == 9
    assert two.word("media_pid") == 77


def test_every_write_shows_as_a_new_sequence_number(pair: tuple[Segment, Segment]) -> None:
    table, seen = pair[0].tables["rooms"], set()
    for blob in (b"a", b"b", b"", b"c"):
        table.write(1, blob)
        seen.add(int(pair[1].tables["rooms"].sequences[1]))
    assert len(seen) == 4
    assert all(not s & 1 for s in seen)


def test_a_writer_killed_in_the_middle_leaves_no_half_row(pair: tuple[Segment, Segment]) -> None:
    table = pair[0].tables["legs"]
    table.write(0, b"before")
    offset = layout.HEADER_BYTES + 4 * 4096
    sequence = struct.unpack_from("<I", pair[0]._memory, offset)[0]
    struct.pack_into("<I", pair[0]._memory, offset, sequence | 1)
    assert pair[1].tables["legs"].read(0) is None
    table.write(0, b"after")
    assert pair[1].tables["legs"].read(0) == b"after"


def test_a_changed_byte_makes_a_row_unreadable(pair: tuple[Segment, Segment]) -> None:
    table = pair[0].tables["legs"]
    table.write(0, b"before")
    body = layout.HEADER_BYTES + 4 * 4096 + layout.ROW_HEADER_BYTES
    pair[0]._memory[body : body + 1] = b"B"
    assert table.read(0) is None


def test_rows_are_bounded(pair: tuple[Segment, Segment]) -> None:
    table = pair[0].tables["revoked"]
    with pytest.raises(ValueError, match="holds 112 bytes"):
        table.write(0, bytes(113))
    with pytest.raises(IndexError, match="no row 4"):
        table.write(4, b"x")


def test_only_used_rows_are_walked(pair: tuple[Segment, Segment]) -> None:
    table = pair[0].tables["legs"]
    table.write(5, b"x")
    table.write(6, b"y")
    table.clear(6)
    assert list(pair[1].tables["legs"].used()) == [(5, b"x")]
    assert pair[1].tables["legs"].high == 7


def test_memory_of_another_version_is_refused(memory: int) -> None:
    segment = shm.attach(memory, SMALL)
    segment.set_word("layout_version", 99)
    with pytest.raises(SegmentError, match="version"):
        shm.attach(memory, SMALL)
