"""The HTTP door over a fake house: real sockets, real tokens, virtual time."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.client import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from fakes import looptime
from fakes.service import FakeRooms
from voiceroom_mixer.config import Endpoint, IceServer, Limits, RunConfig
from voiceroom_mixer.control.auth.keys import Key, KeySet
from voiceroom_mixer.control.auth.pin import hash_pin
from voiceroom_mixer.control.auth.proxies import Proxies, parse_networks
from voiceroom_mixer.control.auth.tokens import Tokens, sign
from voiceroom_mixer.control.events.bus import EventBus
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.http.apps import people_app
from voiceroom_mixer.control.http.assets import Assets
from voiceroom_mixer.control.http.context import HttpContext, Operations
from voiceroom_mixer.control.rooms.facts import RoomFacts
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.core.state.legstate import Role
from voiceroom_mixer.edge import shm
from voiceroom_mixer.edge.shm import Segment

KEYS = KeySet((Key("j1", b"j" * 32, "join"), Key("a1", b"a" * 32, "admin")))
WALL0_S = 1_800_000_000
PIN = "4711"
SMALL = Capacity(rooms=4, legs=8, events=8, revoked=4)
PAGE = {
    "index.html": "<!doctype html><title>room</title>",
    "app.js": "export {};\n",
    "icon.svg": "<svg/>",
}


def segment(capacity: Capacity = SMALL) -> Segment:
    """A fresh segment in memory of its own."""
    fd = os.memfd_create("test")
    try:
        return shm.attach(fd, capacity)
    finally:
        os.close(fd)


def make_config(**changes: Any) -> RunConfig:
    """A laptop's configuration with two rooms; ``hall`` has a PIN."""
    spec = {"access": {"tokenTtl": "90s"}}
    config = RunConfig(
        rooms=(
            {"name": "lobby", "spec": spec, "pinHash": ""},
            {"name": "hall", "spec": spec, "pinHash": hash_pin(PIN, "salt")},
        ),
        http=Endpoint("127.0.0.1", 8080),
        udp=Endpoint("0.0.0.0", 7882),
        admin=None,
        metrics=None,
        advertise=(),
        keys="",
        tls=None,
        trusted_proxies=(),
        rtp_allow=(),
        ice_servers=(IceServer("stun:stun.example:3478"), IceServer("turn:t.example", "u", 'p"w')),
        drain_deadline_s=60.0,
        media_processes=1,
        log_format="text",
        limits=Limits(),
    )
    return dataclasses.replace(config, **changes)


@dataclass
class Door:
    """A served app with a client that talks to it, and everything behind."""

    client: TestClient[web.Request, web.Application]
    context: HttpContext
    service: FakeRooms
    bus: EventBus
    unready: list[str]

    def token(
        self,
        role: Role = "speaker",
        *,
        room: str = "lobby",
        sub: str = "ann",
        jti: str = "t1",
        ttl_s: int = 3600,
    ) -> str:
        """A signed token."""
        now_s = self.context.wall_ns() / 1e9
        return sign(KEYS, sub=sub, room=room, role=role, now_s=now_s, ttl_s=ttl_s, jti=jti)

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        data: str | bytes | None = None,
        content_type: str | None = None,
        **headers: str,
    ) -> ClientResponse:
        """One request, its body read; ``If_Match=`` is the header ``If-Match``."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if content_type is not None:
            sent["Content-Type"] = content_type
        response = await self.client.request(method, path, data=data, headers=sent)
        await response.read()
        return response

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        looptime.virtual_loop().advance(seconds)


def make_context(
    folder: Path, service: FakeRooms, unready: list[str], **config: Any
) -> HttpContext:
    """The context of a door, in the running loop's virtual time."""
    loop = looptime.virtual_loop()
    settings = make_config(**config)
    return HttpContext(
        config=settings,
        service=service,
        bus=EventBus(Journal(segment()), queue_events=4),
        keys=lambda: KEYS,
        numbers=Numbers(),
        operations=Operations(
            unready=lambda: unready,
            detail=dict,
            alive=lambda: "dead" not in unready,
            clockz=lambda: {"media": []},
            expose=lambda accept: (b"# EOF\n", "text/plain"),
            collect_media=lambda: 1,
            media_stacks=_media_stacks,
        ),
        now_ns=loop.now_ns,
        wall_ns=lambda: WALL0_S * 10**9 + loop.now_ns(),
        assets=Assets(folder),
        proxies=Proxies(parse_networks(settings.trusted_proxies)),
        tokens=Tokens(lambda: KEYS),
        rooms=RoomFacts(settings),
    )


async def _media_stacks() -> list[dict[str, Any]]:
    return [{"pid": 77, "stack": ["File loop.py, line 100 in run"]}]


@asynccontextmanager
async def opened(
    folder: Path,
    make_app: Callable[[HttpContext], web.Application] = people_app,
    **config: Any,
) -> AsyncIterator[Door]:
    """A door on a loopback port."""
    for name, text in PAGE.items():
        (folder / name).write_text(text)
    service, unready = FakeRooms(), list[str]()
    context = make_context(folder, service, unready, **config)
    server = TestServer(make_app(context), host="127.0.0.1")
    async with TestClient(server) as client:
        yield Door(client, context, service, context.bus, unready)


def with_door(folder: Path, scenario: Callable[[Door], Awaitable[None]], **config: Any) -> None:
    """Run ``scenario`` against a door in virtual time."""

    async def main() -> None:
        async with opened(folder, **config) as door:
            await scenario(door)

    looptime.run(main())
