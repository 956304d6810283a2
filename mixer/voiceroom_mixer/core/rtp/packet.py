"""RTP packets (RFC 3550 §5.1) and their header extensions (RFC 8285), strict both ways.

``parse_level`` is the one call of the hot path: it looks for a single extension and never raises.
Everything else raises ``ValueError`` with a sentence that says what is wrong.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

Buffer = bytes | bytearray | memoryview

HEADER_BYTES: Final = 12
MAX_CSRC: Final = 15
ONE_BYTE_PROFILE: Final = 0xBEDE
TWO_BYTE_PROFILE: Final = 0x1000
"""The lowest four bits are the application's (RFC 8285 §4.3)."""
NO_LEVEL: Final = (-1, False)

_HEAD: Final = struct.Struct("!BBHII")
_EXTENSION: Final = struct.Struct("!HH")
_STOP_ID: Final = 15
_Walk = Callable[[Buffer, int, int], Iterator[tuple[int, bytes]]]


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One packet. ``extensions`` are (id, data) in wire order; ``padding`` counts its bytes."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrc: tuple[int, ...] = ()
    extensions: tuple[tuple[int, bytes], ...] = ()
    padding: int = 0


def parse(data: Buffer) -> RtpPacket:
    """Raises ``ValueError`` for anything but one whole RTP packet of version 2."""
    if len(data) < HEADER_BYTES:
        raise ValueError(f"RTP packet has {len(data)} bytes, at least {HEADER_BYTES} are needed")
    first, second, sequence, timestamp, ssrc = _HEAD.unpack_from(data)
    if first >> 6 != 2:
        raise ValueError(f"RTP version is {first >> 6}, must be 2")
    at = HEADER_BYTES + 4 * (first & 15)
    if at > len(data):
        raise ValueError("RTP packet ends within its CSRC list")
    csrc = struct.unpack_from(f"!{first & 15}I", data, HEADER_BYTES)
    extensions: tuple[tuple[int, bytes], ...] = ()
    if first & 0x10:
        extensions, at = _parse_extensions(data, at)
    padding = _padding(data, at) if first & 0x20 else 0
    return RtpPacket(
        payload_type=second & 0x7F,
        sequence=sequence,
        timestamp=timestamp,
        ssrc=ssrc,
        payload=bytes(data[at : len(data) - padding]),
        marker=bool(second & 0x80),
        csrc=csrc,
        extensions=extensions,
        padding=padding,
    )


def _padding(data: Buffer, at: int) -> int:
    count = data[-1] if len(data) > at else 0
    if not 0 < count <= len(data) - at:
        raise ValueError(f"RTP padding of {count} bytes does not fit the packet")
    return count


def _parse_extensions(data: Buffer, at: int) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """The elements of the block at ``at`` and where it ends; other profiles have no elements."""
    if at + 4 > len(data):
        raise ValueError("RTP packet ends within its extension header")
    profile, words = _EXTENSION.unpack_from(data, at)
    begin, end = at + 4, at + 4 + 4 * words
    if end > len(data):
        raise ValueError("RTP packet ends within its header extensions")
    if profile == ONE_BYTE_PROFILE:
        return tuple(_one_byte(data, begin, end)), end
    if profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return tuple(_two_byte(data, begin, end)), end
    return (), end


def _one_byte(data: Buffer, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """RFC 8285 §4.2: a zero byte pads, id 15 ends the list."""
    while at < end:
        head = data[at]
        if head >> 4 == _STOP_ID:
            return
        if head == 0:
            at += 1
            continue
        length = (head & 15) + 1
        if at + 1 + length > end:
            raise ValueError(f"header extension {head >> 4} ends behind its block")
        if head >> 4:
            yield head >> 4, bytes(data[at + 1 : at + 1 + length])
        at += 1 + length


def _two_byte(data: Buffer, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """RFC 8285 §4.3: a zero byte pads."""
    while at < end:
        if data[at] == 0:
            at += 1
            continue
        if at + 2 > end or at + 2 + data[at + 1] > end:
            raise ValueError(f"header extension {data[at]} ends behind its block")
        yield data[at], bytes(data[at + 2 : at + 2 + data[at + 1]])
        at += 2 + data[at + 1]


def build(packet: RtpPacket) -> bytes:
    """The packet's bytes. Raises ``ValueError`` naming the field that does not fit."""
    _check(packet)
    first = 0x80 | (0x20 if packet.padding else 0) | (0x10 if packet.extensions else 0)
    head = _HEAD.pack(
        first | len(packet.csrc),
        packet.payload_type | (0x80 if packet.marker else 0),
        packet.sequence,
        packet.timestamp,
        packet.ssrc,
    )
    csrc = struct.pack(f"!{len(packet.csrc)}I", *packet.csrc)
    tail = bytes(packet.padding - 1) + bytes((packet.padding,)) if packet.padding else b""
    return b"".join((head, csrc, build_extensions(packet.extensions), packet.payload, tail))


def _check(packet: RtpPacket) -> None:
    limits = (
        ("payload_type", packet.payload_type, 0x7F),
        ("sequence", packet.sequence, 0xFFFF),
        ("timestamp", packet.timestamp, 0xFFFF_FFFF),
        ("ssrc", packet.ssrc, 0xFFFF_FFFF),
        ("padding", packet.padding, 0xFF),
        ("csrc count", len(packet.csrc), MAX_CSRC),
        *(("csrc", value, 0xFFFF_FFFF) for value in packet.csrc),
    )
    for name, value, most in limits:
        if not 0 <= value <= most:
            raise ValueError(f"RTP {name} is {value}, must be 0..{most}")


def build_extensions(extensions: tuple[tuple[int, bytes], ...]) -> bytes:
    """The extension block, header included, in the one-byte form where it can be; b"" for none."""
    if not extensions:
        return b""
    short = all(1 <= ident < _STOP_ID and 1 <= len(data) <= 16 for ident, data in extensions)
    body = bytearray()
    for ident, data in extensions:
        if not 1 <= ident <= 255 or len(data) > 255:
            raise ValueError(f"header extension {ident} of {len(data)} bytes does not fit")
        body += bytes((ident << 4 | len(data) - 1,) if short else (ident, len(data)))
        body += data
    body += bytes(-len(body) % 4)
    return _EXTENSION.pack(ONE_BYTE_PROFILE if short else TWO_BYTE_PROFILE, len(body) // 4) + body


def find_element(buf: Buffer, start: int, end: int, ext_id: int) -> bytes:
    """Data of the header extension ``ext_id``; b"" when it is not there or the block is broken.

    ``start`` is the extension block's first byte, ``end`` the packet's end.
    """
    try:
        found, _ = _parse_extensions(buf[:end], start)
    except ValueError:
        return b""
    return next((data for ident, data in found if ident == ext_id), b"")


def parse_level(buf: Buffer, start: int, end: int, ext_id: int) -> tuple[int, bool]:
    """Level in -dBov (0..127) and voice flag of the RFC 6464 extension ``ext_id``.

    ``start`` is the extension block's first byte, ``end`` the packet's end. ``NO_LEVEL`` when the
    element is not there or the block is broken: a level is never worth an exception.
    """
    if start + 5 >= end:
        return NO_LEVEL
    profile = buf[start] << 8 | buf[start + 1]
    stop = start + 4 + 4 * (buf[start + 2] << 8 | buf[start + 3])
    at = start + 4
    if stop > end or stop == at:
        return NO_LEVEL
    if profile == ONE_BYTE_PROFILE:
        if buf[at] >> 4 == ext_id:  # the usual case: it comes first
            return buf[at + 1] & 0x7F, buf[at + 1] > 0x7F
        return _find_level(_one_byte, buf, at, stop, ext_id)
    if profile & 0xFFF0 == TWO_BYTE_PROFILE:
        return _find_level(_two_byte, buf, at, stop, ext_id)
    return NO_LEVEL


def _find_level(walk: _Walk, buf: Buffer, at: int, stop: int, ext_id: int) -> tuple[int, bool]:
    try:
        for ident, data in walk(buf, at, stop):
            if ident == ext_id and data:
                return data[0] & 0x7F, data[0] > 0x7F
    except ValueError:
        return NO_LEVEL
    return NO_LEVEL
