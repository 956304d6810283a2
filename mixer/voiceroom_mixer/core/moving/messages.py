"""What mixers of a pool tell each other about rooms that move, as values (contract §8).

Keys are short digests, because all of this travels in datagrams: a pod is known by eight bytes of
its boot id, a room by eight bytes of its uid, a leg by its slot-independent public id (12 bytes).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

POD_BYTES: Final = 8
ROOM_BYTES: Final = 8
LEG_BYTES: Final = 12
IP_BYTES: Final = 16
"""An IPv6 address; IPv4 is written as IPv4-mapped (RFC 4291 §2.5.5.2)."""


class Kind(IntEnum):
    """The low six bits of a datagram's first byte."""

    BEAT = 0
    RELAY_UP = 1
    RELAY_DOWN = 2
    STOPPED = 3
    STOPPED_ACK = 4
    EPOCH = 5
    ASK = 6
    TELL = 7


@dataclass(frozen=True, slots=True)
class Beat:
    """ "I run", every 50 ms from an owner's media process to the twins of its rooms."""

    pod: bytes
    sequence: int
    """Grows with each beat of this pod; an older one is a replay."""


@dataclass(frozen=True, slots=True)
class RelayUp:
    """A datagram of a client that came to a pod which does not own its room."""

    leg: bytes
    ip: bytes
    port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RelayDown:
    """A datagram for a client that hears only through the pod which gets this. Without a payload:
    there is no such leg (any more), let go of it."""

    leg: bytes
    ip: bytes
    port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class LegCut:
    """Where a leg's streams stood at the cut: what the successor goes on from."""

    leg: bytes
    tx_index: int
    """The 48-bit SRTP index of the next packet (RFC 3711 §3.3.1)."""
    tx_srtcp: int
    """The 31-bit SRTCP index of the next report (RFC 3711 §3.4)."""
    tx_timestamp: int
    """RTP timestamp of the last packet sent."""
    rx_ssrc: int
    """Of what the client sends; 0 when nothing had come."""
    rx_index: int
    """SRTP index of the packet that was played last; -1 when nothing had come."""
    rx_srtcp: int
    """SRTCP index of the newest report taken; -1 when none had come."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """ "I stopped for good at tick n": a part of the owner's last word, repeated until it is
    acknowledged."""

    room: bytes
    epoch: int
    """Of the one that stops."""
    tick: int
    part: int
    parts: int
    legs: tuple[LegCut, ...]


@dataclass(frozen=True, slots=True)
class StoppedAck:
    """The successor has that part."""

    room: bytes
    epoch: int
    part: int


@dataclass(frozen=True, slots=True)
class Epoch:
    """ "This room is mixed under that epoch": whoever mixes it under a lower one stops."""

    room: bytes
    epoch: int


@dataclass(frozen=True, slots=True)
class Ask:
    """ "Do you hear that pod?", before a twin takes over."""

    pod: bytes
    nonce: int


@dataclass(frozen=True, slots=True)
class Tell:
    """The answer; ``hears`` is a veto."""

    nonce: int
    hears: bool


Message = Beat | RelayUp | RelayDown | Stopped | StoppedAck | Epoch | Ask | Tell
