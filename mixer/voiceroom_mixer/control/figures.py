"""What media writes about one leg, read from the columns of the segment."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from voiceroom_mixer.core.state import layout


class LegFigures(NamedTuple):
    """A look at one leg's columns. All zero until media has adopted the leg's generation."""

    adopted: bool = False
    phase: int = layout.PHASE_FREE
    end_reason: int = layout.END_NONE
    talking: bool = False
    level: int = 127
    """-dBov, 0 loudest, 127 silent."""
    heard: bool = False
    jitter_us: int = 0
    buffer_us: int = 0
    target_us: int = 0
    lost: int = 0
    concealed: int = 0
    skew_ppb: int = 0
    rtt_us: int = 0
    address: tuple[str, int] | None = None

    @classmethod
    def read(cls, columns: Mapping[str, Any], slot: int, generation: int) -> Self:
        """The columns of ``slot``, if they speak of this ``generation``."""
        if int(columns["generation"][slot]) != generation:
            return cls()
        return cls(
            adopted=True,
            phase=int(columns["phase"][slot]),
            end_reason=int(columns["end_reason"][slot]),
            talking=bool(columns["talking"][slot]),
            level=int(columns["level"][slot]),
            heard=bool(columns["heard"][slot]),
            jitter_us=int(columns["jitter_us"][slot]),
            buffer_us=int(columns["buffer_us"][slot]),
            target_us=int(columns["target_us"][slot]),
            lost=int(columns["rx_lost"][slot]),
            concealed=int(columns["concealed_frames"][slot]),
            skew_ppb=int(columns["skew_ppb"][slot]),
            rtt_us=int(columns["rtt_us"][slot]),
            address=_address(columns, slot),
        )


def _address(columns: Mapping[str, Any], slot: int) -> tuple[str, int] | None:
    """(ip, port); None when unknown or in the middle of a change (odd or moving lock)."""
    lock, family = int(columns["address_lock"][slot]), int(columns["address_family"][slot])
    high, low = int(columns["address_high"][slot]), int(columns["address_low"][slot])
    port = int(columns["address_port"][slot])
    if family == 0 or lock & 1 or lock != int(columns["address_lock"][slot]):
        return None
    raw = high.to_bytes(8, "big") + low.to_bytes(8, "big")
    if family == 4:
        return socket.inet_ntop(socket.AF_INET, raw[12:]), port
    return socket.inet_ntop(socket.AF_INET6, raw), port
