"""``Mark``: where the streams of a leg stood that another pod sends to, about a second ago.

It is what a take-over begins from, and what the last word of an owner is added to. Control keeps
it in the table ``marks`` as bytes, apart from the leg's row: it changes every second.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple, Self

_MARK: Final = struct.Struct("<IIQIIqQIq16sH")


class Mark(NamedTuple):
    """One row."""

    generation: int
    """Of the leg in this slot."""
    tx_ssrc: int = 0
    """That the owner sends under; 0 = not known."""
    tx_index: int = 0
    """No SRTP index at or above it has been used; and the same for SRTCP."""
    tx_srtcp: int = 0
    rx_ssrc: int = 0
    """Of what the client sends; 0 = nothing has come."""
    rx_index: int = -1
    rx_srtcp: int = 0
    """The newest report: its SSRC << 32 | its SRTCP index."""
    target_us: int = 0
    skew_ppb: int = 0
    ip: bytes = bytes(16)
    """The client's address; IPv4 is mapped (RFC 4291 §2.5.5.2)."""
    port: int = 0
    """0 = not known."""

    def to_bytes(self) -> bytes:
        """Fixed size."""
        return _MARK.pack(*self)

    @classmethod
    def from_bytes(cls, raw: bytes | None, generation: int) -> Self:
        """An empty mark for a row that is empty, or of another leg."""
        if raw is None or len(raw) != _MARK.size:
            return cls(generation)
        mark = cls(*_MARK.unpack(raw))
        return mark if mark.generation == generation else cls(generation)
