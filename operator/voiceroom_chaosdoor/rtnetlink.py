"""The few messages of rtnetlink(7) that a netem queue takes: written, and read.

They are what tc(8) of iproute2 sends; the image would have to bring it, and a program that parses
what it prints."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from voiceroom_api.units import NS_PER_MS

NEWLINK, GETLINK = 16, 18
NEWQDISC, DELQDISC, GETQDISC = 36, 37, 38
ERROR, DONE = 2, 3
_REQUEST, _ACK, _DUMP, _EXCL, _CREATE = 0x1, 0x4, 0x300, 0x200, 0x400
_ROOT: Final = 0xFFFF_FFFF
HANDLE: Final = 0x7EC0_0000
"""By which a queue is known to be of the door."""
LIMIT: Final = 20_000
"""Packets that a queue may hold back: a second of 300 legs and what else a pod sends."""
_HEADER: Final = struct.Struct("=IHHII")
_LINK: Final = struct.Struct("=BxHiII")
_QDISC: Final = struct.Struct("=BxxxiIII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_NETEM: Final = struct.Struct("=IIIIII")
_IFLA_IFNAME, _TCA_KIND, _TCA_OPTIONS = 3, 1, 2
_UP, _LOOPBACK = 0x1, 0x8
_TICK_SHIFT: Final = 6
"""The kernel's packet scheduler counts in 64 ns (PSCHED_SHIFT)."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a netem queue does to packets that go out."""

    delay_ms: int
    jitter_ms: int
    loss_percent: float


@dataclass(frozen=True, slots=True)
class Interface:
    """A link of a network namespace."""

    index: int
    name: str
    carries: bool
    """It is up, and no loopback."""


@dataclass(frozen=True, slots=True)
class Message:
    """One that came back; ``body`` is without its header."""

    kind: int
    body: bytes

    @property
    def errno(self) -> int:
        """Of an ``ERROR``; 0 is an acknowledgement."""
        return -int(struct.unpack_from("=i", self.body)[0])


def get_links(sequence: int) -> bytes:
    """All of them."""
    return _message(GETLINK, _REQUEST | _DUMP, sequence, _LINK.pack(0, 0, 0, 0, 0))


def get_qdiscs(sequence: int) -> bytes:
    """Of all links."""
    return _message(GETQDISC, _REQUEST | _DUMP, sequence, _QDISC.pack(0, 0, 0, 0, 0))


def add_netem(sequence: int, index: int, shape: Shape) -> bytes:
    """At the root of a link that has none but the kernel's own."""
    flags = _REQUEST | _ACK | _EXCL | _CREATE
    head = _QDISC.pack(0, index, HANDLE, _ROOT, 0)
    options = _attribute(_TCA_OPTIONS, _options(shape))
    return _message(NEWQDISC, flags, sequence, head + _attribute(_TCA_KIND, b"netem\0") + options)


def delete_root(sequence: int, index: int) -> bytes:
    """The kernel puts its own back."""
    head = _QDISC.pack(0, index, HANDLE, _ROOT, 0)
    return _message(DELQDISC, _REQUEST | _ACK, sequence, head)


def _options(shape: Shape) -> bytes:
    """``struct tc_netem_qopt``, which counts ticks."""
    delay_ns, jitter_ns = shape.delay_ms * NS_PER_MS, shape.jitter_ms * NS_PER_MS
    lost = round(shape.loss_percent / 100 * 0xFFFF_FFFF)
    return _NETEM.pack(delay_ns >> _TICK_SHIFT, LIMIT, lost, 0, 0, jitter_ns >> _TICK_SHIFT)


def _message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, sequence, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def messages(data: bytes) -> Iterator[Message]:
    """Of one datagram. Raises ``ValueError`` when one is cut off."""
    at = 0
    while at < len(data):
        length, kind = _whole(data, at, _HEADER.size, "=IH")
        yield Message(kind, data[at + _HEADER.size : at + length])
        at += length + (-length % 4)


def _whole(data: bytes, at: int, head: int, form: str) -> tuple[int, int]:
    if len(data) - at < head:
        raise ValueError(f"netlink: {len(data) - at} bytes are no header")
    length, kind = struct.unpack_from(form, data, at)
    if not head <= length <= len(data) - at:
        raise ValueError(f"netlink: a length of {length} where {len(data) - at} bytes are")
    return length, kind


def interface(message: Message) -> Interface:
    """Of a ``NEWLINK``. Raises ``ValueError``."""
    if len(message.body) < _LINK.size:
        raise ValueError("netlink: a link is cut off")
    _, _, index, flags, _ = _LINK.unpack_from(message.body)
    name = _attributes(message.body[_LINK.size :]).get(_IFLA_IFNAME, b"")
    carries = bool(flags & _UP) and not flags & _LOOPBACK
    return Interface(index, name.rstrip(b"\0").decode(), carries)


def root_qdisc(message: Message) -> tuple[int, int] | None:
    """Of a ``NEWQDISC``: the link's index and the handle, 0 of the kernel's own; None = it is not
    at the root. Raises ``ValueError``."""
    if len(message.body) < _QDISC.size:
        raise ValueError("netlink: a qdisc is cut off")
    _, index, handle, parent, _ = _QDISC.unpack_from(message.body)
    return (index, handle) if parent == _ROOT else None


def _attributes(data: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while len(data) - at >= _ATTRIBUTE.size:
        length, kind = _whole(data, at, _ATTRIBUTE.size, "=HH")
        found[kind] = data[at + _ATTRIBUTE.size : at + length]
        at += length + (-length % 4)
    return found
