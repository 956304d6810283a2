"""Rooms of a control process over fake media: what HTTP would call, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fakes.media import FakeMedia
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.config import Endpoint, Limits, RoomEntry, RunConfig
from voiceroom_mixer.control.rooms.context import ControlClock
from voiceroom_mixer.control.rooms.service import Rooms, build_service
from voiceroom_mixer.control.service import Claims, Joined
from voiceroom_mixer.core.state.legstate import Role, SrtpKeys

OFFERS = Path(__file__).parent.parent / "vectors" / "sdp"
KEYS = SrtpKeys(7, "aa" * 28, "bb" * 28)
WALL_S = 1_800_000_000
SPEC: dict[str, Any] = {
    "maxParticipants": 10,
    "locked": False,
    "audio": {
        "frameMs": 20,
        "talkers": 3,
        "bitrateKbps": 32,
        "fec": True,
        "dtx": True,
        "jitterBuffer": {"minMs": 20, "maxMs": 200},
    },
}


def offer(name: str = "chromium_sendrecv") -> str:
    """An offer as a real browser made it."""
    return (OFFERS / f"{name}.sdp").read_bytes().decode()


def room(name: str, **spec: Any) -> RoomEntry:
    """A room with the defaults of a VoiceRoom but for ``spec``."""
    return {"name": name, "spec": copy.deepcopy(SPEC) | spec, "pinHash": ""}


def config(*rooms: RoomEntry, participants: int = 100) -> RunConfig:
    """A run on loopback."""
    return RunConfig(
        rooms=rooms or (room("lobby"),),
        http=Endpoint("127.0.0.1", 8080),
        udp=Endpoint("127.0.0.1", 7882),
        admin=None,
        metrics=None,
        advertise=("127.0.0.1",),
        keys="",
        tls=None,
        trusted_proxies=(),
        rtp_allow=("127.0.0.0/8", "10.0.0.0/8", "::1/128"),
        ice_servers=(),
        drain_deadline_s=600.0,
        media_processes=1,
        log_format="text",
        limits=Limits(rooms=100, participants=participants),
    )


def claims(sub: str = "ann", role: Role = "speaker", room: str = "lobby", jti: str = "") -> Claims:
    """A token's claims; its jti is ``jti-SUB`` unless said otherwise."""
    return Claims(sub, room, role, WALL_S + 3600, jti or f"jti-{sub}")


MODERATOR = claims("mod", "moderator")


def seeded() -> Callable[[int], bytes]:
    """Bytes that differ from call to call, the same in every run."""
    counter = itertools.count(1)
    return lambda size: next(counter).to_bytes(size, "big")


@dataclass
class Clocks:
    """Virtual time: both clocks go together."""

    now: int = 1_000 * NS_PER_S

    def clock(self) -> ControlClock:
        """As injected."""
        return ControlClock(lambda: self.now, lambda: WALL_S * NS_PER_S + self.now)


class Building:
    """One control process and its media. Start another over the same media to 'restart' it."""

    def __init__(self, run_config: RunConfig | None = None, media: FakeMedia | None = None) -> None:
        self.config = run_config or config()
        self.media = media or FakeMedia()
        self.clocks = Clocks()
        self.entropy = seeded()
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.rooms = self.control()

    def control(self) -> Rooms:
        """A control process; it finds what the one before has left."""
        self.rooms = build_service(
            self.config,
            [self.media.link()],
            lambda room, kind, data: self.events.append((room, kind, data)),
            self.clocks.clock(),
            entropy=self.entropy,
        )
        return self.rooms

    async def join(
        self, who: Claims | None = None, *, name: str = "chromium_sendrecv", **options: Any
    ) -> Joined:
        """Join the lobby by WHIP; media adopts the leg."""
        who = who or claims()
        options = {"mode": "whip", "replaces": None} | options
        joined = await self.rooms.join(who.room, who, offer(name), **options)
        self.media.look()
        return joined

    async def gateway(self, port: int = 6000, **fields: Any) -> dict[str, Any]:
        """A plain-RTP leg in the lobby; media adopts it."""
        body = {"kind": "rtp", "ip": "127.0.0.1", "port": port, "payloadType": 111} | fields
        made = await self.rooms.add_rtp_leg("lobby", MODERATOR, body)
        self.media.look()
        return made

    def pass_time(self, seconds: float) -> None:
        """Time goes on, and the reaper looks."""
        self.clocks.now += int(seconds * NS_PER_S)
        self.rooms.reaper.look(self.clocks.now)

    def key(self, leg_id: str) -> None:
        """As if the leg's handshake had ended well."""
        leg = next(leg for leg in self.rooms._registry.legs() if leg.id == leg_id)
        leg.connect_by_ns = 0
        self.rooms._house.book.update(leg, srtp=KEYS)

    def kinds(self) -> list[str]:
        """Types of the events so far."""
        return [kind for _, kind, _ in self.events]

    def people(self) -> list[str]:
        """Identities in the lobby."""
        return [p["identity"] for p in self.rooms.room_json("lobby")["participants"]]

    async def hear_media(self) -> None:
        """Let control read what media has said."""
        for _ in range(3):
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def building(*rooms: RoomEntry, **limits: int) -> AsyncIterator[Building]:
    """A started building; nothing of it is left afterwards."""
    house = Building(config(*rooms, **limits))
    await house.rooms.start()
    try:
        yield house
    finally:
        await house.rooms.stop()
        for leg in house.rooms._registry.legs():
            if leg.handshake is not None:
                leg.handshake.close()
        house.media.close()


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """One scenario on a loop of its own, at most 20 s."""

    async def bounded() -> None:
        async with asyncio.timeout(20):
            await scenario()

    asyncio.run(bounded())


def older(who: Claims, seconds: int) -> Claims:
    """The same token, expiring that much earlier."""
    return replace(who, exp_s=who.exp_s - seconds)
