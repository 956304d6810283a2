"""Packets that wait to be played, in the order of their extended sequence numbers."""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_PACKETS: Final = 200
"""4 s of 20 ms packets; more push out the oldest, counted."""


class Packet(NamedTuple):
    """One packet that waits."""

    number: int
    """Extended sequence number: never wraps."""
    stamp: int
    """Extended RTP timestamp of its first sample: never wraps."""
    payload: bytes
    quiet: bool
    """Nothing to hear in it: its level says so, or it is an Opus DTX packet."""


class PacketBuffer:
    """Bounded; ``overflows`` counts what was pushed out."""

    def __init__(self, capacity: int = MAX_PACKETS) -> None:
        self._packets: dict[int, Packet] = {}
        self._capacity = capacity
        self._first = 0
        self.overflows = 0

    def __len__(self) -> int:
        return len(self._packets)

    def put(self, packet: Packet) -> bool:
        """Keep a packet; False when one of its number waits already."""
        if packet.number in self._packets:
            return False
        if not self._packets or packet.number < self._first:
            self._first = packet.number
        self._packets[packet.number] = packet
        if len(self._packets) > self._capacity:
            self.pop()
            self.overflows += 1
        return True

    def first(self) -> Packet | None:
        """The packet with the lowest number; it stays."""
        return self._packets[self._first] if self._packets else None

    def pop(self) -> Packet:
        """Take the first packet out. Raises ``KeyError`` when there is none."""
        packet = self._packets.pop(self._first)
        if self._packets:
            following = packet.number + 1
            self._first = following if following in self._packets else min(self._packets)
        return packet

    def newest(self) -> Packet | None:
        """The packet with the highest number."""
        return self._packets[max(self._packets)] if self._packets else None

    def has_sound(self) -> bool:
        """Whether any packet is not quiet."""
        return any(not packet.quiet for packet in self._packets.values())

    def clear(self) -> None:
        """Drop all packets, uncounted."""
        self._packets.clear()
