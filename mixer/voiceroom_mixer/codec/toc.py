"""The first byte of an Opus packet and what follows from it, without a decoder (RFC 6716 §3)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from voiceroom_mixer.codec.base import MAX_PACKET_SAMPLES, CodecError

_SILK_SAMPLES: Final = (480, 960, 1920, 2880)
_HYBRID_SAMPLES: Final = (480, 960)
_CELT_SAMPLES: Final = (120, 240, 480, 960)
_FRAME_SAMPLES: Final = (
    _SILK_SAMPLES * 3 + _HYBRID_SAMPLES * 2 + _CELT_SAMPLES * 4
)  # by config number, table 2
_FIRST_CELT_CONFIG: Final = 16


class Bandwidth(IntEnum):
    """Audio bandwidth in Hz (RFC 6716 §2, table 1)."""

    NARROW = 4_000
    MEDIUM = 6_000
    WIDE = 8_000
    SUPER_WIDE = 12_000
    FULL = 20_000


_SILK_BANDWIDTHS: Final = (Bandwidth.NARROW, Bandwidth.MEDIUM, Bandwidth.WIDE)
_HYBRID_BANDWIDTHS: Final = (Bandwidth.SUPER_WIDE, Bandwidth.FULL)
_CELT_BANDWIDTHS: Final = (
    Bandwidth.NARROW,
    Bandwidth.WIDE,
    Bandwidth.SUPER_WIDE,
    Bandwidth.FULL,
)


def packet_samples(payload: bytes) -> int:
    """Duration of a packet in samples at 48 kHz.

    Raises ``CodecError`` for an empty or truncated packet, or one longer than 120 ms.
    """
    if not payload:
        raise CodecError("Opus packet is empty")
    samples = _FRAME_SAMPLES[payload[0] >> 3] * _frame_count(payload)
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise CodecError(f"Opus packet lasts {samples} samples, must be 1..{MAX_PACKET_SAMPLES}")
    return samples


def _frame_count(payload: bytes) -> int:
    code = payload[0] & 3
    if code < 3:
        return 1 if code == 0 else 2
    if len(payload) < 2:
        raise CodecError("Opus packet with a frame count is truncated")
    return payload[1] & 0x3F


def is_celt(payload: bytes) -> bool:
    """Whether the packet is CELT-only: cheap, and without FEC."""
    return payload[0] >> 3 >= _FIRST_CELT_CONFIG


def bandwidth(payload: bytes) -> Bandwidth:
    """Audio bandwidth that the packet's first byte names."""
    config = payload[0] >> 3
    if config < 12:
        return _SILK_BANDWIDTHS[config >> 2]
    if config < _FIRST_CELT_CONFIG:
        return _HYBRID_BANDWIDTHS[(config - 12) >> 1]
    return _CELT_BANDWIDTHS[(config - _FIRST_CELT_CONFIG) >> 2]


def has_lbrr(payload: bytes) -> bool:
    """Whether the first frame carries a low-bit-rate copy of the packet before (RFC 6716 §4.2.4).

    Its header bits (a VAD flag for each 20 ms, then the LBRR flag, then the same for the side
    channel) are coded at probability 1/2, so they stand as they are in the first byte.
    """
    if not payload or is_celt(payload):
        return False
    at = _first_frame(payload)
    if at is None or at >= len(payload):
        return False
    silk_frames = max(1, _FRAME_SAMPLES[payload[0] >> 3] // 960)
    flags = payload[at]
    found = flags >> (7 - silk_frames) & 1
    if payload[0] & 4:
        found |= flags >> (6 - 2 * silk_frames) & 1
    return bool(found)


def _first_frame(payload: bytes) -> int | None:
    """Offset of the first frame's bytes; None when the packet is truncated (RFC 6716 §3.2)."""
    code = payload[0] & 3
    if code < 2:
        return 1
    if code == 2:
        return _after_lengths(payload, 1, 1)
    if len(payload) < 2:
        return None
    at = _after_padding(payload) if payload[1] & 0x40 else 2
    if at is None:
        return None
    variable = payload[1] & 0x80
    return _after_lengths(payload, at, (payload[1] & 0x3F) - 1) if variable else at


def _after_padding(payload: bytes) -> int | None:
    at = 2
    while at < len(payload) and payload[at] == 255:
        at += 1
    return at + 1 if at < len(payload) else None


def _after_lengths(payload: bytes, at: int, count: int) -> int | None:
    for _ in range(count):
        if at >= len(payload):
            return None
        at += 2 if payload[at] >= 252 else 1
    return at
