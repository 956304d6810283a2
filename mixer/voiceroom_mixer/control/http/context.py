"""What the handlers share; made once by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web

from voiceroom_mixer.config import RunConfig
from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.control.auth.limits import RequestLimits
from voiceroom_mixer.control.auth.pin import PinDoor
from voiceroom_mixer.control.auth.proxies import Proxies
from voiceroom_mixer.control.auth.tokens import Tokens
from voiceroom_mixer.control.chaos.desk import ChaosDesk
from voiceroom_mixer.control.events.bus import EventBus
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.http.assets import Assets
from voiceroom_mixer.control.rooms.facts import RoomFacts
from voiceroom_mixer.control.service import RoomService


@dataclass(frozen=True, slots=True)
class Operations:
    """What probes and operators ask for."""

    unready: Callable[[], list[str]]
    """Why not ready, as codes; empty = ready."""
    detail: Callable[[], dict[str, str]]
    """A sentence for those codes that need one."""
    alive: Callable[[], bool]
    """Depends on nothing outside, and tolerates a stall of 60 s."""
    clockz: Callable[[], dict[str, Any]]
    expose: Callable[[str], tuple[bytes, str]]
    """(body, content type) of the metrics for an Accept header."""
    collect_media: Callable[[], int]
    """Ask every media process for an emergency collection; how many were told."""
    media_stacks: Callable[[], Awaitable[list[dict[str, Any]]]]
    """Where each media process is: ``pid`` and ``stack``, or ``error``."""


class Elsewhere(Protocol):
    """The pool's other pods."""

    async def first_word(self) -> None:
        """Until it is known where rooms are, for a bounded time. Raises ``ApiError`` 503."""

    def knows(self, room: str) -> bool:
        """Whether the pool has the room, here or there."""

    async def forward(self, request: web.Request, room: str) -> web.StreamResponse:
        """The answer of the pod that runs the room. Raises ``ApiError`` 404, 503."""


@dataclass(frozen=True, slots=True)
class HttpContext:
    """The service, the doors in front of it, and the clocks."""

    config: RunConfig
    service: RoomService
    bus: EventBus
    keys: Callable[[], KeySet]
    numbers: Numbers
    operations: Operations
    now_ns: Callable[[], int]
    wall_ns: Callable[[], int]
    assets: Assets
    proxies: Proxies
    tokens: Tokens
    rooms: RoomFacts
    elsewhere: Elsewhere | None = None
    """None: there is no other pod."""
    chaos: ChaosDesk | None = None
    """None: faults are not taken on order here."""
    limits: RequestLimits = field(default_factory=RequestLimits)
    pins: PinDoor = field(default_factory=PinDoor)

    def exists(self, room: str) -> bool:
        """Whether people can join the room by this address."""
        other = self.elsewhere
        return self.service.room_exists(room) or (other is not None and other.knows(room))


CONTEXT: web.AppKey[HttpContext] = web.AppKey("context", HttpContext)


def context_of(request: web.Request) -> HttpContext:
    """The context of the app that serves ``request``."""
    return request.app[CONTEXT]
