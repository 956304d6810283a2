"""The compiled send batch (``src/tx.h``): one payload for many listeners, protected and sent."""

from __future__ import annotations

import ctypes
from ctypes import c_char_p, c_int, c_int64, c_void_p
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

MARKER: Final = 1
SILENCE: Final = 2
KEEPALIVE: Final = 4
"""Only listeners that have had nothing for a while."""
COLUMNS: Final = ("index", "bound", "packets", "octets", "sent_timestamp", "last_slot", "ready")
MORE_COLUMNS: Final = ("secure", "payload_type", "level_ext", "ssrc", "epoch", "rx_ssrc", "context")
_SIZES: Final = ("slots", "fd", "batch", "row_bytes", "name_bytes", "path_bytes", "source_at")


class State(ctypes.Structure):
    """``vr_tx``."""

    _fields_ = (
        ("headers", c_void_p),
        ("protect", c_void_p),
        *((name, c_void_p) for name in COLUMNS + MORE_COLUMNS),
        ("paths", c_void_p),
        *((name, c_int64) for name in _SIZES),
        ("source_bytes", c_int64),
        *((name, c_int64) for name in ("reserve", "keepalive_slots", "samples_per_slot")),
        *((name, c_int64) for name in ("used", "sent", "bytes", "errors", "full")),
        *((name, c_int64) for name in ("silent", "voided")),
    )
    used: int
    sent: int
    bytes: int
    errors: int
    full: int
    silent: int
    voided: int


class Writer:
    """Writes mixes into a sender's slab, and sends it."""

    def __init__(
        self,
        library: ctypes.PyDLL,
        columns: dict[str, NDArray[Any]],
        paths: NDArray[np.uint8],
        **fields: int,
    ) -> None:
        """``columns``: each of ``COLUMNS`` and ``MORE_COLUMNS`` by leg slot; ``paths``: shape
        (slots, bytes of a path); ``fields``: what else ``vr_tx`` has, addresses and sizes.

        Raises ``RuntimeError`` when the C structure is not ours.
        """
        library.vr_tx_size.restype = library.vr_tx_mix.restype = c_int64
        library.vr_tx_mix.argtypes = _MIX
        library.vr_tx_flush.argtypes, library.vr_tx_flush.restype = (c_void_p,), None
        if library.vr_tx_size() != ctypes.sizeof(State):
            raise RuntimeError("the native library was compiled from other structures than ours")
        self._kept = (columns, paths)
        addresses = {name: column.ctypes.data for name, column in columns.items()}
        slots, path_bytes = paths.shape
        self.state = State(
            paths=paths.ctypes.data, slots=slots, path_bytes=path_bytes, **addresses, **fields
        )
        self._address = ctypes.addressof(self.state)
        self._mix, self._flush = library.vr_tx_mix, library.vr_tx_flush

    def mix(
        self,
        used: int,
        slots: NDArray[np.int32],
        payload: bytes,
        contributors: bytes,
        grid_slot: int,
        flags: int,
    ) -> int:
        """Queue behind ``used`` rows; how many are in use then. ``contributors``: int64 pairs of
        slot and level."""
        count = len(slots)
        return int(
            self._mix(
                self._address,
                used,
                slots.tobytes(),
                count,
                payload,
                len(payload),
                contributors,
                len(contributors) >> 4,
                grid_slot,
                flags,
            )
        )

    def flush(self, used: int) -> None:
        """Send ``used`` rows; ``state`` counts."""
        self.state.used = used
        self._flush(self._address)


_MIX: Final = (
    c_void_p,
    c_int64,
    c_char_p,
    c_int64,
    c_char_p,
    c_int64,
    c_char_p,
    c_int64,
    c_int64,
    c_int,
)
