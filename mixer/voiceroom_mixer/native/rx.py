"""The compiled receive batch (``src/rx.h``): legs' rows, the index of their sources, the sorter.

``Row`` holds the fields of ``core.receive.stream.Stream``, so a ``Receiver`` works over either.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import c_bool, c_int64, c_uint8, c_uint16, c_uint64, c_void_p
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.receive.stream import StreamFigures
from voiceroom_mixer.core.rtp.reception import Arrival

PRIOR_BYTES: Final = 384
DROPS: Final = (
    "rtp_too_large",
    "empty",
    "relay",
    "unknown_source",
    "rtp_malformed",
    "rtp_payload_type",
    "not_allowed",
    "srtp_replay",
    "srtp_auth",
)
"""Reasons in the order of ``vr_drop``."""
TAKEN_WORDS: Final = 11
ARRIVALS: Final = tuple(Arrival)
_LONG_PRIOR: Final = 0xFFFF
_MISSING_WORDS: Final = 4
_FIRST_SIZE: Final = 256
_KEY_BYTES: Final = 32


class Stop(IntEnum):
    """Why sorting stopped at a row."""

    DONE = 0
    AGAIN = 1
    """What was handed up comes first."""
    OTHER = 2
    """Neither RTP nor RTCP."""
    UNKNOWN = 3
    """RTP from nobody's address, which a leg may be waiting for."""
    PACKET = 4
    """RTP or RTCP of a leg that is not a matter of course."""


class Row(StreamFigures, ctypes.Structure):
    """``vr_leg``: a stream whose fields are held and counted by compiled code."""

    _fields_ = (
        *((name, c_int64) for name in ("base", "highest", "index", "received", "jitter_ns")),
        *((name, c_int64) for name in ("timestamp", "stamp", "transit_ns", "low_ns", "high_ns")),
        *((name, c_int64) for name in ("expected_before", "received_before", "bad_seq")),
        ("_missing", c_uint64 * _MISSING_WORDS),
        *((name, c_int64) for name in ("ssrc", "octets", "window_end_ns", "prior_stamp")),
        *((name, c_int64) for name in ("rx_ssrc", "rx_index", "resume_index", "wrap_tries")),
        ("last_rx_ns", c_int64),
        ("context", c_uint64),
        ("_handed_up", c_int64),
        *((name, c_bool) for name in ("heard", "awake", "secure", "sends")),
        *((name, c_uint8) for name in ("payload_type", "level_ext", "_touched", "_spare")),
        ("_prior_bytes", c_uint16),
        ("_prior", c_uint8 * PRIOR_BYTES),
        ("_reserve", c_uint8 * 6),
    )

    _prior: ctypes.Array[c_uint8]
    _prior_bytes: int
    _touched: int
    _missing: ctypes.Array[c_uint64]
    _long: bytes

    @property
    def prior(self) -> bytes:
        """As in ``StreamFigures``."""
        if self._prior_bytes == _LONG_PRIOR:
            return self._long
        return bytes(self._prior[: self._prior_bytes])

    @prior.setter
    def prior(self, payload: bytes) -> None:
        if len(payload) > PRIOR_BYTES:
            self._long, self._prior_bytes = payload, _LONG_PRIOR
            return
        ctypes.memmove(self._prior, payload, len(payload))
        self._prior_bytes = len(payload)

    def forget_missing(self) -> None:
        """No packet is awaited any more."""
        ctypes.memset(self._missing, 0, ctypes.sizeof(self._missing))

    def leave(self) -> None:
        """As in ``StreamFigures``."""
        self.context, self._touched = 0, 0

    def observe(self, seq: int, timestamp: int, arrival_ns: int) -> Arrival:
        """Take one packet in outside a batch; ``observe`` of the rows' library."""
        raise NotImplementedError


class _Entry(ctypes.Structure):
    _fields_ = (("key", c_uint8 * _KEY_BYTES), ("slot", c_int64))


class _Index(ctypes.Structure):
    _fields_ = (
        ("entries", c_void_p),
        *((name, c_uint64) for name in ("size", "used", "seed", "key_bytes")),
    )
    size: int
    seed: int
    key_bytes: int


class State(ctypes.Structure):
    """``vr_rx``."""

    _fields_ = (
        *((name, c_void_p) for name in ("index", "legs", "headers", "data", "names", "control")),
        *((name, c_void_p) for name in ("lengths", "arrivals", "taken", "touched")),
        *((name, c_void_p) for name in ("ssrc_column", "index_column", "last_rx_column")),
        ("unprotect", c_void_p),
        *((name, c_int64) for name in ("fd", "batch", "row_bytes", "name_bytes", "control_bytes")),
        ("touched_size", c_int64),
        *((name, c_int64) for name in ("now_ns", "offset_ns", "since_ns", "raw_ns", "latching")),
        *((name, c_int64) for name in ("count", "next", "found", "stop", "stop_row", "stop_slot")),
        *((name, c_int64) for name in ("touched_count", "octets", "overflowed")),
        *((name, c_int64) for name in ("overflow_total", "call")),
        ("drops", c_int64 * len(DROPS)),
    )
    now_ns: int
    offset_ns: int
    since_ns: int
    raw_ns: int
    latching: bool
    count: int
    next: int
    found: int
    stop: int
    stop_row: int
    stop_slot: int
    octets: int
    overflowed: int
    drops: ctypes.Array[c_int64]


def _declare(library: ctypes.PyDLL) -> None:
    """Prototypes; raises ``RuntimeError`` when the C structures are not ours."""
    for name, arguments in (
        ("vr_rx_batch", (c_void_p,)),
        ("vr_rx_sort", (c_void_p,)),
        ("vr_rx_publish", (c_void_p,)),
        ("vr_rx_observe", (c_void_p, ctypes.c_uint32, ctypes.c_uint32, c_int64)),
        ("vr_index_put", (c_void_p, ctypes.c_char_p, c_int64)),
        ("vr_index_drop", (c_void_p, ctypes.c_char_p)),
        ("vr_index_move", (c_void_p, c_void_p)),
        ("vr_rx_size", (ctypes.c_int,)),
    ):
        getattr(library, name).argtypes = arguments
    library.vr_rx_size.restype = c_int64
    if (library.vr_rx_size(1), library.vr_rx_size(0)) != (ctypes.sizeof(Row), ctypes.sizeof(State)):
        raise RuntimeError("the native library was compiled from other structures than ours")


class Rows:
    """A row for each leg slot, in one block that compiled code walks."""

    def __init__(self, library: ctypes.PyDLL, legs: int) -> None:
        _declare(library)
        self.library = library
        self._memory = np.zeros(legs * ctypes.sizeof(Row), np.uint8)
        self.address: int = self._memory.ctypes.data
        self._buffer = self._memory.data
        self._row = _observing(library)

    def fresh(self, slot: int) -> Row:
        """The row of ``slot`` for a leg that has just come; of the one before nothing remains."""
        row = self._row.from_buffer(self._buffer, slot * ctypes.sizeof(Row))
        ctypes.memset(ctypes.addressof(row), 0, ctypes.sizeof(Row))
        row.clear()
        return row


def _observing(library: ctypes.PyDLL) -> type[Row]:
    """Rows that count by the compiled ``vr_observe``."""
    call, address = library.vr_rx_observe, ctypes.addressof

    class Observing(Row):
        def observe(self, seq: int, timestamp: int, arrival_ns: int) -> Arrival:
            return ARRIVALS[int(call(address(self), seq, timestamp, arrival_ns))]

    return Observing


class Sources:
    """Which leg slot a datagram's sockaddr belongs to; grows, so that it is never half full."""

    def __init__(self, library: ctypes.PyDLL, key_bytes: int) -> None:
        self._library = library
        seed = int.from_bytes(os.urandom(8), "little")
        self._index = _Index(0, 0, 0, seed, key_bytes)
        self._hold(_FIRST_SIZE)
        self.address = ctypes.addressof(self._index)

    def _hold(self, size: int) -> None:
        self._entries = np.full((size, ctypes.sizeof(_Entry) // 8), -1, np.int64)
        self._index.entries = self._entries.ctypes.data
        self._index.size, self._index.used = size, 0

    def put(self, key: bytes, slot: int) -> None:
        """Datagrams from ``key`` are of the leg in ``slot``."""
        if not self._library.vr_index_put(self.address, key.ljust(_KEY_BYTES, b"\0"), slot):
            self._grow()
            self._library.vr_index_put(self.address, key.ljust(_KEY_BYTES, b"\0"), slot)

    def drop(self, key: bytes) -> None:
        """Datagrams from ``key`` are nobody's."""
        self._library.vr_index_drop(self.address, key.ljust(_KEY_BYTES, b"\0"))

    def _grow(self) -> None:
        before, entries = _Index.from_buffer_copy(self._index), self._entries
        self._hold(before.size * 2)
        self._library.vr_index_move(self.address, ctypes.addressof(before))
        del entries  # until here compiled code read from it


@dataclass(frozen=True, slots=True)
class Slab:
    """Addresses of the receiver's buffers, and how wide their rows are."""

    fd: int
    batch: int
    headers: int
    data: int
    names: int
    control: int
    lengths: int
    row_bytes: int
    name_bytes: int
    control_bytes: int


class Sorter:
    """Receives and sorts batches; ``state`` says what was found."""

    def __init__(
        self, rows: Rows, sources: Sources, slab: Slab, columns: dict[str, Any], unprotect: int
    ) -> None:
        """``columns``: the segment's ``rx_ssrc``, ``rx_index`` and ``last_rx_ns``; ``unprotect``:
        address of ``srtp_unprotect``."""
        self._kept = (rows, sources, columns)
        self.arrivals: NDArray[np.int64] = np.zeros(slab.batch, np.int64)
        self.taken: NDArray[np.int64] = np.zeros((slab.batch, TAKEN_WORDS), np.int64)
        """Packets handed up, a row each: slot, start in the slab, bytes, how, number, stamp,
        lowest transit, arrival, quiet, level, voice."""
        self._touched = np.zeros(len(columns["rx_ssrc"]), np.int64)
        self.state = State(
            index=sources.address,
            legs=rows.address,
            headers=slab.headers,
            data=slab.data,
            names=slab.names,
            control=slab.control,
            lengths=slab.lengths,
            arrivals=self.arrivals.ctypes.data,
            taken=self.taken.ctypes.data,
            touched=self._touched.ctypes.data,
            ssrc_column=columns["rx_ssrc"].ctypes.data,
            index_column=columns["rx_index"].ctypes.data,
            last_rx_column=columns["last_rx_ns"].ctypes.data,
            unprotect=unprotect,
            fd=slab.fd,
            batch=slab.batch,
            row_bytes=slab.row_bytes,
            name_bytes=slab.name_bytes,
            control_bytes=slab.control_bytes,
            touched_size=len(self._touched),
        )
        self._address = ctypes.addressof(self.state)
        library = rows.library
        self._batch, self._sort = library.vr_rx_batch, library.vr_rx_sort
        self._publish = library.vr_rx_publish

    def batch(self) -> int:
        """Receive a batch and begin to sort it; how many packets are handed up."""
        return int(self._batch(self._address))

    def go_on(self) -> int:
        """Sort on behind the row where it stopped; how many packets are handed up."""
        return int(self._sort(self._address))

    def publish(self) -> None:
        """Write the indexes of the legs heard from into the columns."""
        self._publish(self._address)


__all__ = ["ARRIVALS", "DROPS", "Row", "Rows", "Slab", "Sorter", "Sources", "State", "Stop"]
