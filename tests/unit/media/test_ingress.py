"""A socket's datagrams over real loopback: each finds its leg, and a fault stays with its leg."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fakes.mansion import Mansion, rtp_leg
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.media.legs import Leg

SOUND = b"\0" * 960


@pytest.fixture
def peers() -> Iterator[list[socket.socket]]:
    """Two gateways."""
    with ExitStack() as stack:
        made = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)
        ]
        for peer in made:
            peer.bind(("127.0.0.1", 0))
        yield made


class Gate:
    """Ingress over the mansion's socket."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion = mansion
        self.ingress = mansion.ingress()

    def take(self, count: int) -> None:
        """Drain until ``count`` datagrams have come."""
        while count > 0:
            assert select.select([self.mansion.socket], [], [], 5)[0], "nothing came within 5 s"
            count -= self.ingress.drain(self.mansion.now_ns, 0, 0, 1 << 60)


def _send(peer: socket.socket, mansion: Mansion, seq: int) -> None:
    head = struct.pack("!BBHII", 0x80, 111, seq, seq * 960, 7)
    peer.sendto(head + SOUND, mansion.socket.getsockname())


def test_a_broken_invariant_ends_its_leg_and_nobody_elses(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    legs = [
        mansion.put(rtp_leg(slot, port=peer.getsockname()[1])) for slot, peer in enumerate(peers)
    ]
    gate = Gate(mansion)
    legs[0].receiver = None  # type: ignore[assignment]
    for peer in peers:
        _send(peer, mansion, 1)
    gate.take(2)
    assert list(mansion.legs.by_slot) == [1]
    assert mansion.column("end_reason", 0) == layout.END_FAULT
    assert legs[1].receiver.stats.rx_packets == 1


def test_datagrams_of_nobody_are_counted_by_reason(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    gate = Gate(mansion)
    for datagram in (b"", b"\x00", b"\x80" * 20, b"\x16" * 30, b"\xc8" * 9):
        peers[0].sendto(datagram, mansion.socket.getsockname())
    gate.take(5)
    reasons = ("empty", "not_stun", "unknown_source", "relay")
    assert [mansion.counted("drop_" + reason) for reason in reasons] == [1, 1, 2, 1]


def test_a_moved_gateways_own_stream_is_taken_from_another_port_and_no_other(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    gateway, stranger = peers
    leg = mansion.put(rtp_leg(0, port=gateway.getsockname()[1]))
    gate = Gate(mansion)
    _send(gateway, mansion, 1)
    gate.take(1)
    mark = mansion.house.mark(leg.state)._replace(
        ip=bytes(10) + b"\xff\xff" + socket.inet_aton("127.0.0.1"),
        port=gateway.getsockname()[1],
        rx_ssrc=7,
        rx_index=1,
    )
    mansion.house.rest(leg)
    mansion.house.enliven(leg, mark, mansion.now_ns)
    leg.stream.rx_ssrc = 7
    head = struct.pack("!BBHII", 0x80, 111, 2, 1920, 8)  # the address is right, the stream is not
    stranger.sendto(head + SOUND, mansion.socket.getsockname())
    gate.take(1)
    assert mansion.counted("drop_unknown_source") == 1
    _send(stranger, mansion, 2)
    gate.take(1)
    assert mansion.legs.find(leg.selected) is leg
    assert _port(leg) == stranger.getsockname()[1]


def _port(leg: Leg) -> int:
    return int.from_bytes(leg.selected[2:4], "big")


def test_a_gateway_is_first_heard_from_another_port_than_it_gave(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    gateway, rewritten = peers
    leg = mansion.put(rtp_leg(0, port=gateway.getsockname()[1]))
    gate = Gate(mansion)
    _send(rewritten, mansion, 1)
    gate.take(1)
    assert leg.heard
    assert _port(leg) == rewritten.getsockname()[1]
    _send(rewritten, mansion, 2)
    gate.take(1)
    assert leg.receiver.stats.rx_packets == 2


def test_the_port_that_a_gateway_gave_holds_once_it_is_heard_from_there(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    gateway, stranger = peers
    leg = mansion.put(rtp_leg(0, port=gateway.getsockname()[1]))
    gate = Gate(mansion)
    _send(stranger, mansion, 1)
    gate.take(1)
    _send(gateway, mansion, 2)
    gate.take(1)
    assert _port(leg) == gateway.getsockname()[1]
    assert not mansion.legs.waiting


def test_a_gateway_that_is_heard_is_looked_for_at_no_other_port(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    gateway, stranger = peers
    leg = mansion.put(rtp_leg(0, port=gateway.getsockname()[1]))
    gate = Gate(mansion)
    _send(gateway, mansion, 1)
    gate.take(1)
    _send(stranger, mansion, 2)
    gate.take(1)
    assert _port(leg) == gateway.getsockname()[1]
    assert mansion.counted("drop_unknown_source") == 1


def test_what_is_no_sound_of_a_gateways_changes_no_port(
    mansion: Mansion, peers: list[socket.socket]
) -> None:
    gateway, stranger = peers
    leg = mansion.put(rtp_leg(0, port=gateway.getsockname()[1]))
    gate = Gate(mansion)
    for datagram in (b"\x80\x6f\0\1", struct.pack("!BBHII", 0x80, 96, 1, 0, 7) + SOUND):
        stranger.sendto(datagram, mansion.socket.getsockname())
    gate.take(2)
    assert _port(leg) == gateway.getsockname()[1]
    assert mansion.counted("drop_unknown_source") == 2
