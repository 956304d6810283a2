"""Who is in the call: two gateways by plain RTP, and two browsers where there is one at hand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from browsers.chromium import chromiums, executable
from browsers.roompage import HEARD_DB, RoomPage
from browsers.tones import tone_db
from demo.facts import Fact, Hearing, Seat
from demo.record import Record
from harness.captures import Passage, passage
from harness.party import Party
from harness.rtp import FRAME, Heard, RtpLeg, decode
from harness.tones import level_db
from harness.voice import PodDoor, Voice

TONES = {"Ada": 620, "Ina": 1_170, "Jon": 1_640}
"""Who talks, as tones: whoever is heard can be told from the others."""
LISTENS_S = 0.5
_WARM_UP = 5
_LEAST = 8
_NS = 1e9


def talkers_in(packets: Sequence[Heard], names: Sequence[str]) -> frozenset[str]:
    """Who of them is heard in packets as they came; nobody in too few."""
    if len(packets) < _WARM_UP + _LEAST:
        return frozenset()
    pcm = decode(list(packets))[_WARM_UP * FRAME :]
    return frozenset(name for name in names if level_db(pcm, TONES[name]) > HEARD_DB)


@dataclass
class Gateways:
    """Ada talks and Bob listens, both by plain RTP."""

    party: Party[PodDoor]
    ada: RtpLeg
    bob: RtpLeg
    talkers: tuple[str, ...]

    def follow(self, there: tuple[str, int]) -> None:
        """Send to where the room is now, as the event `moved` tells gateways."""
        self.ada.target = self.bob.target = there

    def hearing(self) -> Hearing:
        """Whom Bob hears now."""
        now_ns = time.monotonic_ns()
        since_ns = now_ns - int((LISTENS_S + _WARM_UP * 0.02) * _NS)
        recent = [packet for packet in self.bob.heard[-200:] if packet.at_ns >= since_ns]
        return Hearing(now_ns / _NS, "Bob", self.talkers, talkers_in(recent, self.talkers))

    def pauses(self) -> list[tuple[float, float]]:
        """(when in seconds of CLOCK_MONOTONIC, ms since the packet before), of all packets."""
        heard = list(self.bob.heard)  # it goes on to grow
        return [(b.at_ns / _NS, (b.at_ns - a.at_ns) / 1e6) for a, b in pairwise(heard)]

    def passage(self, since_s: float) -> Passage | None:
        """What Bob had since then; None when that was nothing to be measured."""
        heard = [packet for packet in self.bob.heard if packet.at_ns / _NS >= since_s]
        return passage(heard) if len(heard) > 1 else None

    def people(self, voice: Voice) -> list[dict[str, Any]]:
        """Participants, as the room's mixer of today lists them."""
        door, way = voice.door(self.party.home), f"/rooms/{self.party.home}"
        status, room, _ = door.call("GET", way, self.party.token, Accept="application/json")
        assert status == 200, f"the room is not where its status says: {status} {room}"
        return list(room["participants"])

    def seats(self, there: set[str], now_s: float) -> Iterator[Fact]:
        """Whether both are in the room by the legs that they came with."""
        for name, leg in zip(("Ada", "Bob"), self.party.ids, strict=True):
            yield Seat(now_s, name, leg, "kept" if leg in there else "ended")


@contextmanager
def gateways(voice: Voice, room: str, talkers: Sequence[str]) -> Iterator[Gateways]:
    """In the room for the time of the block."""
    with voice.people(room) as party:
        ada = party.join(TONES["Ada"], "Ada", host=voice.here)
        bob = party.join(None, "Bob", host=voice.here)
        yield Gateways(party, ada, bob, tuple(talkers))


@dataclass
class Pages:
    """Browsers' pages, by name; none where there is no browser."""

    record: Record
    pages: dict[str, RoomPage] = field(default_factory=dict)

    def listen(self) -> None:
        """For half a second, and tell who was heard by whom."""
        if not self.pages:
            time.sleep(LISTENS_S)
            return
        for page in self.pages.values():
            page.begin_listening()
        for name, page in self.pages.items():
            pcm = page.end_listening(LISTENS_S)
            talkers = tuple(talker for talker in TONES if talker != name)
            heard = frozenset(one for one in talkers if tone_db(pcm, TONES[one]) > HEARD_DB)
            now_s = time.monotonic()
            seat = Seat(now_s, name, page.leg, page.state)
            self.record.see([seat, Hearing(now_s, name, talkers, heard)])


@contextmanager
def pages(
    voice: Voice, door: str, folder: Path, record: Record, *, wanted: bool
) -> Iterator[Pages]:
    """Ina and Jon, each with a browser and a microphone; they come in by the pod ``door``.

    A page gets its microphone at 127.0.0.1 and under https only, so a forwarded port leads there.
    """
    if not wanted:
        yield Pages(record)
        return
    with ExitStack() as ends:
        browsers = ends.enter_context(chromiums(folder))
        base = ends.enter_context(voice.forwarded(voice.get("pod", door)))
        token = voice.door("lobby").sign("speaker", "lobby")
        link = f"{base}/rooms/lobby?token={token}"
        found = {name: browsers.person(TONES[name]).enter(link, name) for name in ("Ina", "Jon")}
        yield Pages(record, found)


def browser() -> str:
    """Path of the browser that is at hand; empty = none."""
    try:
        return executable()
    except FileNotFoundError:
        return ""
