"""RTCP extended reports (RFC 3611): reference time, DLRR, statistics summary, VoIP metrics."""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from typing import Final

RRTR: Final = 4
DLRR: Final = 5
SUMMARY: Final = 6
VOIP: Final = 7
UNAVAILABLE: Final = 127
"""A VoIP metric that was not measured (RFC 3611 §4.7)."""

_BLOCK: Final = struct.Struct("!BBH")
_NTP: Final = struct.Struct("!Q")
_DLRR: Final = struct.Struct("!III")
_SUMMARY: Final = struct.Struct("!IHHIIIIIIBBBB")
_VOIP: Final = struct.Struct("!IBBBBHHHHBBBBBBBBBBHHH")
_ALL_SUMMARY: Final = 0xE0
"""Loss, duplicate and jitter flags; TTL is never reported."""


@dataclass(frozen=True, slots=True)
class ReferenceTime:
    """BT 4 (§4.4): the receiver's NTP time, 32.32 fixed point; asks for a DLRR."""

    ntp: int


@dataclass(frozen=True, slots=True)
class DelayBlock:
    """One sub-block of BT 5 (§4.5); the delay in 1/65536 s."""

    ssrc: int
    last_rr: int
    delay_since_last_rr: int


@dataclass(frozen=True, slots=True)
class Dlrr:
    """BT 5: answers to reference times."""

    blocks: tuple[DelayBlock, ...]


@dataclass(frozen=True, slots=True)
class StatisticsSummary:
    """BT 6 (§4.6) over sequence numbers ``begin``..``end`` - 1; jitter in timestamp units."""

    ssrc: int
    begin: int
    end: int
    lost: int
    duplicates: int
    min_jitter: int
    max_jitter: int
    mean_jitter: int
    dev_jitter: int


@dataclass(frozen=True, slots=True)
class VoipMetrics:
    """BT 7 (§4.7). Rates and densities in 1/256, durations and delays in ms."""

    ssrc: int
    loss_rate: int
    discard_rate: int
    burst_density: int = 0
    gap_density: int = 0
    burst_duration_ms: int = 0
    gap_duration_ms: int = 0
    round_trip_ms: int = 0
    end_system_delay_ms: int = 0
    signal_level: int = UNAVAILABLE
    noise_level: int = UNAVAILABLE
    rerl: int = UNAVAILABLE
    gmin: int = 16
    r_factor: int = UNAVAILABLE
    external_r_factor: int = UNAVAILABLE
    mos_lq: int = UNAVAILABLE
    mos_cq: int = UNAVAILABLE
    rx_config: int = 0
    buffer_nominal_ms: int = 0
    buffer_max_ms: int = 0
    buffer_abs_max_ms: int = 0


XrBlock = ReferenceTime | Dlrr | StatisticsSummary | VoipMetrics


@dataclass(frozen=True, slots=True)
class ExtendedReport:
    """PT 207; blocks of other types are left out when parsing."""

    ssrc: int
    blocks: tuple[XrBlock, ...]


def parse_blocks(body: bytes) -> tuple[XrBlock, ...]:
    """All known report blocks. Raises ``ValueError`` for a truncated one."""
    blocks: list[XrBlock] = []
    at = 0
    while at < len(body):
        if at + 4 > len(body):
            raise ValueError("XR block ends within its header")
        kind, flags, words = _BLOCK.unpack_from(body, at)
        end = at + 4 + 4 * words
        if end > len(body):
            raise ValueError(f"XR block of type {kind} is truncated")
        block = _parse_block(kind, flags, body[at + 4 : end])
        if block is not None:
            blocks.append(block)
        at = end
    return tuple(blocks)


def _parse_block(kind: int, flags: int, body: bytes) -> XrBlock | None:
    try:
        if kind == RRTR:
            return ReferenceTime(*_NTP.unpack(body))
        if kind == DLRR:
            return Dlrr(tuple(DelayBlock(*values) for values in _DLRR.iter_unpack(body)))
        if kind == SUMMARY:
            return _parse_summary(flags, _SUMMARY.unpack(body))
        if kind == VOIP:
            values = _VOIP.unpack(body)
            return VoipMetrics(*values[:18], *values[19:])
    except struct.error as error:
        raise ValueError(f"XR block of type {kind} has a wrong length") from error
    return None


def _parse_summary(flags: int, values: tuple[int, ...]) -> StatisticsSummary:
    """Fields that their flag declares invalid read as 0 (§4.6)."""
    ssrc, begin, end, lost, duplicates, *rest = values
    jitter = rest[:4] if flags & 0x20 else [0, 0, 0, 0]
    return StatisticsSummary(
        ssrc,
        begin,
        end,
        lost if flags & 0x80 else 0,
        duplicates if flags & 0x40 else 0,
        *jitter,
    )


def build_blocks(blocks: tuple[XrBlock, ...]) -> bytes:
    """Raises ``struct.error`` for a number that does not fit its field."""
    return b"".join(_build_block(block) for block in blocks)


def _build_block(block: XrBlock) -> bytes:
    if isinstance(block, ReferenceTime):
        return _framed(RRTR, 0, _NTP.pack(block.ntp))
    if isinstance(block, Dlrr):
        return _framed(DLRR, 0, b"".join(_DLRR.pack(*astuple(entry)) for entry in block.blocks))
    if isinstance(block, StatisticsSummary):
        return _framed(SUMMARY, _ALL_SUMMARY, _SUMMARY.pack(*astuple(block), 0, 0, 0, 0))
    values = astuple(block)
    return _framed(VOIP, 0, _VOIP.pack(*values[:18], 0, *values[18:]))


def _framed(kind: int, flags: int, body: bytes) -> bytes:
    return _BLOCK.pack(kind, flags, len(body) // 4) + body
