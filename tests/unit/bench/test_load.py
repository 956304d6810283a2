"""The generator's plan and its answer."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.load.crowd import Seat, Target, crowd, pairs, plain_leg, sockets
from bench.load.generator import LegPlan, Secure, leg_line, parse_window, plan_text


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with sockets(1) as made:
        yield made[0]


class Server:
    """Remembers who asked, and answers with one address for all."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int, str]] = []

    def add_leg(self, room: str, ip: str, port: int, identity: str) -> Target:
        self.asked.append((room, ip, port, identity))
        return Target("127.0.0.1", 9, 111, level_ext=1)


def test_a_plain_leg_is_one_line(sock: socket.socket) -> None:
    leg = LegPlan(sock, 111, 5, "noise", start=37, level_ext=1)
    fd = sock.fileno()
    want = f"leg fd={fd} pt=111 ssrc=5 phase_us=3000 start=37 ext=1 media=noise"
    assert leg_line(leg, 3000) == want


def test_a_secure_leg_brings_keys_and_its_check(sock: socket.socket) -> None:
    leg = LegPlan(sock, 111, 5, None, secure=Secure(8, b"\1\2", b"\3", b"\4"))
    assert leg_line(leg, 0).endswith("profile=8 tx=0102 rx=03 stun=04")
    assert "media=" not in leg_line(leg, 0)


def test_legs_are_spread_over_the_frame_in_their_order(sock: socket.socket) -> None:
    legs = [LegPlan(sock, 111, i, "silence") for i in range(8)]
    lines = plan_text(legs, {"silence": None}, None, 20).splitlines()
    assert lines[:2] == ["frame 20", "media silence silence"]
    phases = [int(line.split("phase_us=")[1].split()[0]) for line in lines[2:]]
    assert phases == [0, 2000, 5000, 7000, 10000, 12000, 15000, 17000]


def test_marked_media_say_so() -> None:
    text = plan_text([], {"bursts": Path("/x/b.pk"), "noise": Path("/x/n.pk")}, "bursts", 10)
    assert text == "frame 10\nmedia bursts /x/b.pk marks\nmedia noise /x/n.pk\n"


def test_a_crowd_talks_as_many_as_it_should_in_each_room() -> None:
    seats = crowd(["a", "b"], 4, 1, "noise")
    for room in "ab":
        media = [seat.media for seat in seats if seat.room == room]
        assert media[1:] == ["noise"] * 3
        assert str(media[0]).startswith("speech")


def test_each_listener_watches_the_talker_of_its_room() -> None:
    seats = pairs(["a", "b", "c"])
    for seat in seats[3:]:
        assert seat.watches is not None
        assert seats[seat.watches] == Seat(seat.room, "bursts")


def test_a_leg_is_made_for_the_address_of_its_socket(sock: socket.socket) -> None:
    server = Server()
    leg = plain_leg(server, Seat("a", "noise"), 3, sock)
    assert server.asked == [("a", *sock.getsockname(), "leg3")]
    assert sock.getpeername() == ("127.0.0.1", 9)
    assert (leg.payload_type, leg.level_ext, leg.media) == (111, 1, "noise")


def test_the_answer_of_the_generator_is_read() -> None:
    spread = {"n": 4, "dropped": 0, "min": 1, "p50": 2, "p99": 3, "max": 4}
    counts = dict.fromkeys(("sent", "send_errors", "lost", "reordered", "auth_failures"), 7)
    raw = counts | {"seconds": 2.5, "legs": 3, "received": 9, "receiving_legs": 2, "unmatched": 1}
    for name in ("send_late_us", "interarrival_us", "leg_p99_us", "delay_us"):
        raw[name] = spread  # type: ignore[assignment]
    window = parse_window(json.dumps(raw))
    assert (window.seconds, window.received, window.receiving_legs) == (2.5, 9, 2)
    assert window.delay.p99_us == 3
    assert window.raw["unmatched"] == 1
