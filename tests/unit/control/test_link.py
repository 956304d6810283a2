"""Control's side of a media process: messages both ways, rows, datagrams from the media port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from fakes.media import FakeMedia
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.core.state.legstate import LegState
from voiceroom_mixer.core.state.messages import Address, Kind, Message


@pytest.fixture
def media() -> Iterator[FakeMedia]:
    """One media process."""
    fake = FakeMedia()
    yield fake
    fake.close()


def make_leg(link: MediaLink, leg: str = "a") -> LegState:
    lease = link.lease_leg()
    assert lease is not None
    return LegState(
        leg=leg,
        room="lobby",
        room_slot=0,
        slot=lease[0],
        generation=lease[1],
        kind="rtp",
        identity="ann",
        role="speaker",
        participant=leg,
        ssrc=1,
        sends=True,
        receives=True,
        payload_type=111,
    )


def test_a_written_leg_stands_in_the_row_and_media_is_told(media: FakeMedia) -> None:
    link = media.link()
    state = make_leg(link)
    link.write_leg(state)
    assert media.legs() == [state]
    assert media.read() == [Message(Kind.LEG, 0, state.generation)]
    link.clear_leg(state)
    assert media.legs() == []
    assert media.read() == [Message(Kind.LEG, 0, state.generation)]


def test_a_reused_slot_has_a_higher_generation_also_after_a_restart(media: FakeMedia) -> None:
    link = media.link()
    first = make_leg(link)
    link.write_leg(first)
    media.look()
    link.clear_leg(first)
    media.look()
    again = make_leg(media.link(), "b")
    assert again.slot == first.slot
    assert again.generation > first.generation


def test_a_full_socket_drops_and_counts_and_never_blocks(media: FakeMedia) -> None:
    link = media.link()
    sent = sum(link.send(Message(Kind.LEG, 0, 0)) for _ in range(20_000))
    assert link.counters["messages_sent"] == sent < 20_000
    assert link.counters["messages_dropped"] == 20_000 - sent


def test_messages_arrive_and_malformed_ones_are_counted(media: FakeMedia) -> None:
    link = media.link()
    state = make_leg(link)
    got: list[Message] = []

    async def scenario() -> None:
        heard = asyncio.Event()

        def on_message(_link: MediaLink, message: Message) -> None:
            got.append(message)
            heard.set()

        link.start(on_message)
        media.say_raw(b"\0\1\2")
        media.say_raw(Message(Kind.HEARD, 1, 2).to_bytes()[:-1] + b"xx")
        media.say(Kind.HEARD, state)
        await heard.wait()
        link.stop()

    asyncio.run(scenario())
    assert got == [Message(Kind.HEARD, state.slot, state.generation)]
    assert link.counters["messages_malformed"] == 2


def test_datagrams_leave_from_the_media_port(media: FakeMedia) -> None:
    link = media.link()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        to = Address(socket.inet_aton("127.0.0.1"), client.getsockname()[1])
        assert link.send_datagram(to, b"\x16dtls")
        datagram, source = client.recvfrom(100)
    assert datagram == b"\x16dtls"
    assert source == ("127.0.0.1", link.udp_port)


def test_a_chosen_address_of_ours_is_the_source() -> None:
    media = FakeMedia()
    media.udp.close()
    media.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    media.udp.bind(("0.0.0.0", 0))
    link = media.link()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        local = socket.inet_aton("127.0.0.2").ljust(16, b"\0")
        to = Address(socket.inet_aton("127.0.0.1"), client.getsockname()[1], local)
        assert link.send_datagram(to, b"x")
        assert client.recvfrom(100)[1] == ("127.0.0.2", link.udp_port)
    media.close()


def test_an_address_that_the_socket_cannot_reach_is_counted(media: FakeMedia) -> None:
    link = media.link()
    assert not link.send_datagram(Address(socket.inet_pton(socket.AF_INET6, "::1"), 9), b"x")
    assert link.counters["unreachable"] == 1


def test_ipv4_peers_of_a_dual_stack_socket() -> None:
    media = FakeMedia()
    media.udp.close()
    media.udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    media.udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    media.udp.bind(("::", 0))
    link = media.link()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind(("127.0.0.1", 0))
        to = Address(socket.inet_aton("127.0.0.1"), client.getsockname()[1])
        assert link.is_ipv6
        assert link.send_datagram(to, b"x")
        assert client.recv(100) == b"x"
    media.close()


def test_figures_speak_of_the_legs_own_generation_only(media: FakeMedia) -> None:
    link = media.link()
    state = make_leg(link)
    link.write_leg(state)
    assert not link.figures(state).adopted
    media.look()
    media.set("a", level=30, talking=1, jitter_us=1500, address_family=4)
    media.set("a", address_low=int.from_bytes(b"\x0a\0\0\1", "big"), address_port=99)
    figures = link.figures(state)
    assert (figures.level, figures.talking, figures.jitter_us) == (30, True, 1500)
    assert figures.address == ("10.0.0.1", 99)
    media.set("a", address_lock=1)
    assert link.figures(state).address is None, "half written"
