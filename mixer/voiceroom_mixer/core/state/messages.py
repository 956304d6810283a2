"""Datagrams between control and media (SOCK_SEQPACKET: bounded, ordered, never blocking).

They only say "look again": the truth stands in the shared memory, so a lost message costs a
delay until the next look and nothing else. DTLS datagrams are the exception; DTLS itself
retransmits those.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Final, NamedTuple

VERSION: Final = 1
MAX_MESSAGE: Final = 2304
_HEAD: Final = struct.Struct("!BBHII")
"""version, type, length of payload, slot, generation."""


class MessageError(ValueError):
    """A datagram on the socketpair is not one of ours."""


class Kind(IntEnum):
    """What a message is about; below 64 from control to media, from 64 on back."""

    LEG = 1
    """The leg's row has changed (or is gone: let go of the leg, with RTCP BYE)."""
    ROOM = 2
    BYE_ALL = 3
    """Say BYE on every leg and let go; the process is about to end."""
    COLLECT = 4
    """Emergency gc.collect() in media."""

    DTLS = 64
    """payload: an ``Address`` (36 bytes), then the datagram."""
    NOMINATED = 65
    """ICE has chosen this address (same address head as DTLS)."""
    ENDED = 66
    """payload: u8 reason (layout.END_*)."""
    TALKING = 67
    """payload: u8 on."""
    REFILL = 68
    """payload: u32 size_ms, u32 target_ms, u32 last_seq, u32 ssrc: ``JB refill timeout``."""
    HEARD = 69
    """First valid media packet of the leg."""
    BYE_DONE = 70
    ROOM_BEGUN = 71
    """Of a room slot: media mixes it by a move or a take-over (``layout.ROOM_COLUMNS``)."""
    ROOM_STOPPED = 72
    """Of a room slot: media has stopped mixing it for good."""
    ANOTHER_PATH = 73
    """The round trip to the leg has become too long: its page is to restart ICE."""


class Message(NamedTuple):
    """One message; ``payload`` as its kind says."""

    kind: Kind
    slot: int
    generation: int
    payload: bytes = b""

    def to_bytes(self) -> bytes:
        """Raises ``ValueError`` when longer than ``MAX_MESSAGE``."""
        head = _HEAD.pack(VERSION, self.kind, len(self.payload), self.slot, self.generation)
        if len(head) + len(self.payload) > MAX_MESSAGE:
            raise ValueError(f"message of {len(self.payload)} bytes, at most {MAX_MESSAGE}")
        return head + self.payload


def parse(raw: bytes) -> Message:
    """Raises ``MessageError`` for anything malformed."""
    if len(raw) < _HEAD.size:
        raise MessageError("message is truncated")
    version, kind, length, slot, generation = _HEAD.unpack_from(raw)
    if version != VERSION or length != len(raw) - _HEAD.size:
        raise MessageError("message has another version or length")
    try:
        return Message(Kind(kind), slot, generation, raw[_HEAD.size :])
    except ValueError as error:
        raise MessageError(f"unknown message kind {kind}") from error


_ADDRESS: Final = struct.Struct("!HH16s16s")


class Address(NamedTuple):
    """A peer's IP address and port, and which address of ours it speaks to.

    ``ip`` is 4 or 16 bytes, network order. ``local`` is 16 bytes as in a path of ``edge/mmsg.py``;
    all zero lets the kernel choose where an answer comes from.
    """

    ip: bytes
    port: int
    local: bytes = bytes(16)

    def to_bytes(self) -> bytes:
        """36 bytes: u16 IP version, u16 port, the address padded to 16, our address."""
        version = 4 if len(self.ip) == 4 else 6
        return _ADDRESS.pack(version, self.port, self.ip.ljust(16, b"\0"), self.local)


def parse_address(raw: bytes) -> tuple[Address, bytes]:
    """The address at the head of ``raw`` and the rest. Raises ``MessageError``."""
    if len(raw) < _ADDRESS.size:
        raise MessageError("address is truncated")
    version, port, ip, local = _ADDRESS.unpack_from(raw)
    return Address(ip[:4] if version == 4 else ip, port, local), raw[_ADDRESS.size :]
