"""What the handlers share; made once by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from voiceroom_mixer.config import RunConfig
from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.control.auth.limits import RequestLimits
from voiceroom_mixer.control.auth.pin import PinDoor
from voiceroom_mixer.control.auth.proxies import Proxies
from voiceroom_mixer.control.auth.tokens import Tokens
from voiceroom_mixer.control.events.bus import EventBus
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.http.assets import Assets
from voiceroom_mixer.control.service import RoomService


@dataclass(frozen=True, slots=True)
class Operations:
    """What probes and operators ask for."""

    unready: Callable[[], list[str]]
    """Why not ready, as codes; empty = ready."""
    alive: Callable[[], bool]
    """Depends on nothing outside, and tolerates a stall of 60 s."""
    clockz: Callable[[], dict[str, Any]]
    expose: Callable[[str], tuple[bytes, str]]
    """(body, content type) of the metrics for an Accept header."""
    collect_media: Callable[[], int]
    """Ask every media process for an emergency collection; how many were told."""


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
    limits: RequestLimits = field(default_factory=RequestLimits)
    pins: PinDoor = field(default_factory=PinDoor)


CONTEXT: web.AppKey[HttpContext] = web.AppKey("context", HttpContext)


def context_of(request: web.Request) -> HttpContext:
    """The context of the app that serves ``request``."""
    return request.app[CONTEXT]
