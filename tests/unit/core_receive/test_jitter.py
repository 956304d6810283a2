"""The packet buffer: order, duplicates, and its bound."""

from __future__ import annotations

from voiceroom_mixer.core.receive.jitter import MAX_PACKETS, Packet, PacketBuffer


def packet(number: int, *, quiet: bool = False) -> Packet:
    return Packet(number, number * 960, b"x", quiet)


def test_packets_leave_in_the_order_of_their_numbers() -> None:
    buffer = PacketBuffer()
    for number in (5, 3, 9, 4, -1):
        assert buffer.put(packet(number))
    assert [buffer.pop().number for _ in range(5)] == [-1, 3, 4, 5, 9]
    assert buffer.first() is None


def test_the_same_number_is_kept_once() -> None:
    buffer = PacketBuffer()
    assert buffer.put(packet(1))
    assert not buffer.put(packet(1))
    assert len(buffer) == 1


def test_the_oldest_falls_out_of_a_full_buffer_and_is_counted() -> None:
    buffer = PacketBuffer()
    for number in range(MAX_PACKETS + 7):
        buffer.put(packet(number))
    assert len(buffer) == MAX_PACKETS
    assert buffer.overflows == 7
    first = buffer.first()
    assert first is not None
    assert first.number == 7


def test_sound_is_told_from_quiet() -> None:
    buffer = PacketBuffer()
    buffer.put(packet(1, quiet=True))
    assert not buffer.has_sound()
    buffer.put(packet(2))
    assert buffer.has_sound()
    buffer.clear()
    assert not buffer.has_sound()
    assert buffer.newest() is None
