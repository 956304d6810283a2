"""Who sits in which room and what they send; made into legs of the generator."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol

from bench import speech
from bench.load.generator import LegPlan, plan_text

Silent = Literal["silence", "noise"]
"""What a leg that does not talk sends all the time: Opus silence, or -60 dBov noise."""
LOOPBACK: Final = "127.0.0.1"
_START_STEP: Final = 37
"""Talkers with the same voice begin at other places of its text."""
_FIRST_SSRC: Final = 0x5EED_0000


@dataclass(frozen=True, slots=True)
class Seat:
    """One leg to be."""

    room: str
    media: str | None
    """``speechN``, ``silence``, ``noise``, ``bursts``; None = listens only."""
    watches: int | None = None
    """Index in the crowd of the leg whose bursts are looked for."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a leg sends to, as the server said."""

    ip: str
    port: int
    payload_type: int
    level_ext: int = 0


class PlainServer(Protocol):
    """A server with plain-RTP legs."""

    def add_leg(self, room: str, ip: str, port: int, identity: str) -> Target:
        """Make a leg that is sent to at ``ip:port``."""


def crowd(rooms: Sequence[str], legs: int, talking: int, silent: Silent) -> list[Seat]:
    """``legs`` in each room, the first ``talking`` of which talk."""
    seats = []
    for i in range(legs):
        for r, room in enumerate(rooms):
            voice = (i + r) % len(speech.VOICES)
            seats.append(Seat(room, f"speech{voice}" if i < talking else silent))
    return seats


def pairs(rooms: Sequence[str]) -> list[Seat]:
    """A talker with tone bursts and a listener in each room; talkers come first, so that they are
    spread evenly over the frame."""
    talkers = [Seat(room, "bursts") for room in rooms]
    return talkers + [Seat(room, "silence", watches=i) for i, room in enumerate(rooms)]


def media_files(seats: Sequence[Seat], frame_ms: int) -> dict[str, Path | None]:
    """The packet file of each medium in use; None for digital silence."""
    files: dict[str, Path | None] = {}
    for name in sorted({seat.media for seat in seats if seat.media}):
        if name.startswith("speech"):
            files[name] = speech.speech(int(name.removeprefix("speech")), frame_ms)
        else:
            makers = {"noise": speech.noise, "bursts": speech.bursts}
            files[name] = makers[name](frame_ms) if name in makers else None
    return files


def plan_of(seats: Sequence[Seat], legs: Sequence[LegPlan], frame_ms: int) -> str:
    """The generator's plan for these seats."""
    return plan_text(legs, media_files(seats, frame_ms), "bursts", frame_ms)


def seated(seat: Seat, index: int, leg: LegPlan) -> LegPlan:
    """The leg with what its seat says."""
    return replace(
        leg,
        ssrc=_FIRST_SSRC + index,
        media=seat.media,
        start=0 if seat.media == "bursts" else index * _START_STEP,
        watches=seat.watches,
    )


def plain_leg(server: PlainServer, seat: Seat, index: int, sock: socket.socket) -> LegPlan:
    """Make one plain-RTP leg and connect the socket to it."""
    ip, port = sock.getsockname()
    target = server.add_leg(seat.room, ip, port, f"leg{index}")
    sock.connect((target.ip, target.port))
    leg = LegPlan(sock, target.payload_type, 0, None, level_ext=target.level_ext)
    return seated(seat, index, leg)


@contextlib.contextmanager
def sockets(count: int) -> Iterator[list[socket.socket]]:
    """UDP sockets on loopback, closed at the end."""
    with contextlib.ExitStack() as stack:
        made = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((LOOPBACK, 0))
            made.append(sock)
        yield made
