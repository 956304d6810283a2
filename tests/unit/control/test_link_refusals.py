"""Somebody who has gone must not cost somebody else a datagram."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from fakes.media import FakeMedia
from voiceroom_mixer.core.state.messages import Address

IP_RECVERR = 11
LOOPBACK = socket.inet_aton("127.0.0.1")


@pytest.fixture
def media() -> Iterator[FakeMedia]:
    media = FakeMedia()
    media.udp.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    yield media
    media.close()


def test_a_refusal_of_an_earlier_datagram_does_not_swallow_the_next(media: FakeMedia) -> None:
    link = media.link()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as gone,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as here,
    ):
        for sock in (gone, here):
            sock.bind(("127.0.0.1", 0))
        closed = Address(LOOPBACK, gone.getsockname()[1])
        gone.close()
        assert link.send_datagram(closed, b"to nobody")
        assert link.send_datagram(Address(LOOPBACK, here.getsockname()[1]), b"to somebody")
        here.settimeout(5)
        assert here.recv(64) == b"to somebody"
    assert link.counters["datagrams_dropped"] == 0
