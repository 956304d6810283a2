"""RTCP compound packets (RFC 3550 §6): sender and receiver reports, SDES, BYE, and XR.

Parsing is strict about lengths and lenient about kinds: an unknown packet type is stepped over.
A compound that does not begin with a report is taken as well (reduced size, RFC 5506).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from voiceroom_mixer.core.rtp.xr import ExtendedReport, build_blocks, parse_blocks

SR: Final = 200
RR: Final = 201
SDES: Final = 202
BYE: Final = 203
XR: Final = 207
CNAME: Final = 1
MAX_COUNT: Final = 31

_REPORT: Final = struct.Struct("!IB3sIIII")
_SENDER: Final = struct.Struct("!IQIII")
_SSRC: Final = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What a receiver says of one source (RFC 3550 §6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Since the report before, in 1/256."""
    cumulative_lost: int
    """Signed 24 bits: duplicates can make it negative."""
    highest: int
    """Extended highest sequence number, 32 bits."""
    jitter: int
    """Interarrival jitter in timestamp units."""
    last_sr: int
    """Middle 32 bits of the last sender report's NTP time; 0 = none came yet."""
    delay_since_last_sr: int
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True)
class SenderReport:
    """PT 200; ``ntp`` is 32.32 fixed point seconds since 1900."""

    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """PT 201."""

    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SdesChunk:
    """One source and its items, (type, text) each; text is at most 255 bytes of UTF-8."""

    ssrc: int
    items: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """PT 202."""

    chunks: tuple[SdesChunk, ...]


@dataclass(frozen=True, slots=True)
class Bye:
    """PT 203."""

    ssrcs: tuple[int, ...]
    reason: bytes = b""


RtcpPacket = SenderReport | ReceiverReport | SourceDescription | Bye | ExtendedReport


def cname(ssrc: int, name: str) -> SourceDescription:
    """The SDES packet that every compound of ours carries."""
    return SourceDescription((SdesChunk(ssrc, ((CNAME, name.encode()[:255]),)),))


def parse_compound(data: bytes) -> list[RtcpPacket]:
    """All known packets of a compound. Raises ``ValueError`` for a broken or truncated one."""
    packets: list[RtcpPacket] = []
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise ValueError("RTCP packet ends within its header")
        first, kind = data[at], data[at + 1]
        end = at + 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
        if first >> 6 != 2:
            raise ValueError(f"RTCP version is {first >> 6}, must be 2")
        if end > len(data):
            raise ValueError(f"RTCP packet of type {kind} is truncated")
        body = data[at + 4 : _without_padding(data, end) if first & 0x20 else end]
        packet = _parse_body(kind, first & 0x1F, body)
        if packet is not None:
            packets.append(packet)
        at = end
    if at == 0:
        raise ValueError("RTCP packet is empty")
    return packets


def _without_padding(data: bytes, end: int) -> int:
    count = data[end - 1]
    if end != len(data) or count == 0 or count % 4:
        raise ValueError("RTCP padding must be whole words of the last packet")
    return end - count


def _parse_body(kind: int, count: int, body: bytes) -> RtcpPacket | None:
    try:
        if kind == SR:
            ssrc, ntp, timestamp, packets, octets = _SENDER.unpack_from(body)
            reports = _parse_reports(body, _SENDER.size, count)
            return SenderReport(ssrc, ntp, timestamp, packets, octets, reports)
        if kind == RR:
            return ReceiverReport(_SSRC.unpack_from(body)[0], _parse_reports(body, 4, count))
        if kind == SDES:
            return _parse_sdes(body, count)
        if kind == BYE:
            return _parse_bye(body, count)
        if kind == XR:
            return ExtendedReport(_SSRC.unpack_from(body)[0], parse_blocks(body[4:]))
    except struct.error as error:
        raise ValueError(f"RTCP packet of type {kind} is truncated") from error
    return None


def _parse_reports(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    reports = []
    for offset in range(at, at + count * _REPORT.size, _REPORT.size):
        ssrc, fraction, lost, *rest = _REPORT.unpack_from(body, offset)
        reports.append(ReportBlock(ssrc, fraction, int.from_bytes(lost, "big", signed=True), *rest))
    return tuple(reports)


def _parse_sdes(body: bytes, count: int) -> SourceDescription:
    chunks = []
    at = 0
    for _ in range(count):
        ssrc = _SSRC.unpack_from(body, at)[0]
        items, at = _parse_items(body, at + 4)
        chunks.append(SdesChunk(ssrc, items))
    return SourceDescription(tuple(chunks))


def _parse_items(body: bytes, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """The items of one chunk, and where the next chunk begins (a multiple of 4)."""
    items = []
    while at < len(body) and body[at]:
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise ValueError("RTCP SDES item is truncated")
        items.append((body[at], body[at + 2 : at + 2 + body[at + 1]]))
        at += 2 + body[at + 1]
    if at >= len(body):
        raise ValueError("RTCP SDES chunk has no end")
    return tuple(items), at // 4 * 4 + 4


def _parse_bye(body: bytes, count: int) -> Bye:
    ssrcs = struct.unpack_from(f"!{count}I", body)
    at = 4 * count
    if at == len(body):
        return Bye(ssrcs)
    if at + 1 + body[at] > len(body):
        raise ValueError("RTCP BYE reason is truncated")
    return Bye(ssrcs, body[at + 1 : at + 1 + body[at]])


def build_compound(packets: Iterable[RtcpPacket]) -> bytes:
    """The compound's bytes. Raises ``ValueError`` for a number that does not fit its field."""
    try:
        return b"".join(_build(packet) for packet in packets)
    except (struct.error, OverflowError) as error:
        raise ValueError(f"RTCP field out of range: {error}") from error


def _build(packet: RtcpPacket) -> bytes:
    if isinstance(packet, SenderReport):
        sender = _SENDER.pack(
            packet.ssrc, packet.ntp, packet.rtp_timestamp, packet.packets, packet.octets
        )
        body = sender + _build_reports(packet.reports)
        return _framed(SR, len(packet.reports), body)
    if isinstance(packet, ReceiverReport):
        body = _SSRC.pack(packet.ssrc) + _build_reports(packet.reports)
        return _framed(RR, len(packet.reports), body)
    if isinstance(packet, SourceDescription):
        return _framed(SDES, len(packet.chunks), b"".join(map(_build_chunk, packet.chunks)))
    if isinstance(packet, Bye):
        body = struct.pack(f"!{len(packet.ssrcs)}I", *packet.ssrcs)
        if packet.reason:
            body += bytes((len(packet.reason),)) + packet.reason
        return _framed(BYE, len(packet.ssrcs), body + bytes(-len(body) % 4))
    return _framed(XR, 0, _SSRC.pack(packet.ssrc) + build_blocks(packet.blocks))


def _framed(kind: int, count: int, body: bytes) -> bytes:
    if count > MAX_COUNT:
        raise ValueError(f"RTCP packet of type {kind} holds {MAX_COUNT} entries, got {count}")
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def _build_reports(reports: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _REPORT.pack(
            block.ssrc,
            block.fraction_lost,
            block.cumulative_lost.to_bytes(3, "big", signed=True),
            block.highest,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in reports
    )


def _build_chunk(chunk: SdesChunk) -> bytes:
    items = b"".join(bytes((kind, len(text))) + text for kind, text in chunk.items)
    body = _SSRC.pack(chunk.ssrc) + items
    return body + bytes(4 - len(body) % 4)
