"""Batched sockets over real loopback: nothing lost, arrival times believable, errors counted."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from voiceroom_mixer.edge import mmsg


@pytest.fixture(params=[socket.AF_INET, socket.AF_INET6], ids=["ipv4", "ipv6"])
def pair(request: pytest.FixtureRequest) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two bound, non-blocking UDP sockets on loopback."""
    host = "127.0.0.1" if request.param == socket.AF_INET else "::1"
    with (
        socket.socket(request.param, socket.SOCK_DGRAM) as one,
        socket.socket(request.param, socket.SOCK_DGRAM) as two,
    ):
        for sock in (one, two):
            sock.bind((host, 0))
            sock.setblocking(False)
        yield one, two


def _name(sock: socket.socket) -> bytes:
    host, port = sock.getsockname()[:2]
    return mmsg.pack_name(sock.family, socket.inet_pton(sock.family, host), port)


def _path(sock: socket.socket) -> NDArray[np.uint8]:
    name = _name(sock)
    return np.frombuffer(name + mmsg.unspecified(name), np.uint8)


def _drain(receiver: mmsg.Receiver, sock: socket.socket) -> int:
    assert select.select([sock], [], [], 5)[0], "nothing came within 5 s"
    return receiver.drain()


def test_what_one_sends_the_other_receives(pair: tuple[socket.socket, socket.socket]) -> None:
    one, two = pair
    sender, receiver = mmsg.Sender(one), mmsg.Receiver(two)
    for row in range(3):
        sender.data[row, : row + 1] = row + 65
        sender.direct(row, _path(two))
        sender.lengths[row] = row + 1
    sender.used = 3
    assert sender.flush() == 3
    assert _drain(receiver, two) == 3
    assert receiver.lengths() == [1, 2, 3]
    first = mmsg.RX_BYTES
    assert bytes(receiver.buffer[first : first + 2]) == b"BB"
    assert mmsg.unpack_name(receiver.path(0))[1] == one.getsockname()[1]
    assert set(receiver.keys()) == {receiver.path(0)[: receiver.key_bytes]}
    assert receiver.drain() == 0


def test_arrivals_lie_in_the_window_in_which_they_came(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, two = pair
    receiver = mmsg.Receiver(two)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    one.sendto(b"x", two.getsockname())
    _drain(receiver, two)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    offset = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - time.time_ns()
    (arrival,) = receiver.arrivals(offset, 0, 1 << 62)
    assert before - 1_000_000 <= arrival <= after + 1_000_000


def test_a_wall_clock_step_does_not_show_in_arrivals(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, two = pair
    receiver = mmsg.Receiver(two)
    one.sendto(b"x", two.getsockname())
    _drain(receiver, two)
    stepped = 3_600 * 1_000_000_000
    assert receiver.arrivals(stepped, 100, 200) == [200]
    assert receiver.arrivals(-(1 << 62), 100, 200) == [100]


def test_a_datagram_too_long_for_a_row_is_marked(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, two = pair
    receiver = mmsg.Receiver(two)
    one.sendto(b"x" * (mmsg.RX_BYTES + 1), two.getsockname())
    _drain(receiver, two)
    assert receiver.lengths() == [-1]


def test_a_full_socket_is_counted_by_the_kernel(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, two = pair
    two.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    receiver = mmsg.Receiver(two)
    for _ in range(200):
        one.sendto(b"x" * 100, two.getsockname())
    while receiver.drain():
        assert receiver.overflowed() >= 0
    one.sendto(b"x", two.getsockname())
    _drain(receiver, two)
    assert receiver.overflowed() > 0


def test_an_unreachable_port_loses_nobody_elses_packet(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    one, two = pair
    one.setsockopt(*_recverr(one.family), 1)
    with socket.socket(one.family, socket.SOCK_DGRAM) as gone:
        gone.bind((*two.getsockname()[:1], 0))
        dead = _path(gone)
    sender, receiver = mmsg.Sender(one), mmsg.Receiver(two)
    for turn in range(4):
        for row, name in enumerate((dead, _path(two))):
            sender.direct(row, name)
            sender.lengths[row] = 1
        sender.used = 2
        sender.flush()
        assert _drain(receiver, two) == 1, f"turn {turn}"


def _recverr(family: int) -> tuple[int, int]:
    return (socket.IPPROTO_IP, 11) if family == socket.AF_INET else (socket.IPPROTO_IPV6, 25)


def test_ipv4_on_an_ipv6_socket_is_mapped_and_comes_back_plain() -> None:
    name = mmsg.pack_name(socket.AF_INET6, bytes([192, 0, 2, 7]), 9)
    assert len(name) == mmsg.NAME_BYTES
    assert mmsg.unpack_name(name) == (bytes([192, 0, 2, 7]), 9)
    with pytest.raises(ValueError, match="IPv6"):
        mmsg.pack_name(socket.AF_INET, bytes(16), 9)


@pytest.mark.parametrize("any_address", ["0.0.0.0", "::"])
def test_an_answer_comes_from_the_address_that_was_asked(any_address: str) -> None:
    family = socket.AF_INET6 if ":" in any_address else socket.AF_INET
    with (
        socket.socket(family, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        if family == socket.AF_INET6:
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        server.bind((any_address, 0))
        server.setblocking(False)
        client.bind(("127.0.0.1", 0))
        client.settimeout(5)
        receiver, sender = mmsg.Receiver(server), mmsg.Sender(server)
        for asked in ("127.0.0.2", "127.0.0.3"):
            client.sendto(b"hello", (asked, server.getsockname()[1]))
            assert _drain(receiver, server) == 1
            sender.direct(0, np.frombuffer(receiver.path(0), np.uint8))
            sender.lengths[0], sender.used = 1, 1
            assert sender.flush() == 1
            assert client.recvfrom(10)[1][0] == asked
            local = receiver.path(0)[mmsg.NAME_BYTES :]
            host = ("::ffff:" if family == socket.AF_INET6 else "") + "127.0.0.1"
            to = (host, client.getsockname()[1])
            server.sendmsg([b"y"], mmsg.source_message(family, local), 0, to)
            assert client.recvfrom(10)[1][0] == asked
