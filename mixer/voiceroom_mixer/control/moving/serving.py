"""A feed over HTTP."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from voiceroom_mixer.control.admin import checks
from voiceroom_mixer.control.moving import feeds
from voiceroom_mixer.control.moving.feeds import Follower
from voiceroom_mixer.control.moving.handover import Handover
from voiceroom_mixer.control.rooms.registry import Room
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.moving.messages import POD_BYTES

MAX_CANDIDATES: Final = 16
_PROCESS: Final = re.compile(rf"[0-9a-f]{{{2 * POD_BYTES}}}")
_log = logging.getLogger(__name__)
_HEADERS: Final = {"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"}


def follower(request: web.Request) -> Follower:
    """Who asks. Raises ``ApiError`` 422."""
    query = request.query
    host, _, port = query.get("media", "").rpartition(":")
    media = checks.media([f"{host or _caller(request)}:{port}"], "media", 1)[0]
    listed = [entry.rpartition(" ") for entry in query.get("candidates", "").split(",")]
    candidates = tuple(
        (ip, int(port)) for ip, _, port in listed[:MAX_CANDIDATES] if port.isdecimal()
    )
    return Follower(
        pod=checks.text(query.get("pod"), "pod"),
        part=checks.text(query.get("part"), "part"),
        media=media,
        candidates=candidates,
        admin=_admin(request),
        process=_process(request),
    )


def _admin(request: web.Request) -> str:
    host, _, port = request.query.get("admin", "").rpartition(":")
    return checks.address(f"{host or _caller(request)}:{port}", "admin") if port else ""


def _process(request: web.Request) -> str:
    text = request.query.get("process", "")
    if text and not _PROCESS.fullmatch(text):
        raise checks.refuse("process", f"must be {2 * POD_BYTES} hex digits")
    return text


def _caller(request: web.Request) -> str:
    remote = (request.remote or "").removeprefix("::ffff:")
    return f"[{remote}]" if ":" in remote else remote


async def serve_feed(
    request: web.Request, room: Room, handover: Handover, hello: Mapping[str, Any]
) -> web.StreamResponse:
    """Until the room is not ours any more, or the reader has gone."""
    reader, readers = follower(request), handover.feeds
    feed = readers.open(room, reader)
    if feed is None:
        raise ApiError(503, "busy", "too many feeds", headers={"Retry-After": "1"})
    feed.is_read = lambda: request.transport is not None and not request.transport.is_closing()
    response = web.StreamResponse(headers=_HEADERS)
    try:
        await response.prepare(request)
        await response.write(feeds.hello(hello=dict(hello)))
        handover.owning.joined(room, reader)
        while not feed.closed:
            feed.wake.clear()
            news = readers.news(feed, handover.house.clock.now_ns())
            if news:
                await response.write(news)
            await feed.wake.wait()
    except ConnectionResetError:
        _log.debug("a feed's reader has gone", extra={"room": room.name, "pod": reader.pod})
    finally:
        readers.close(feed)
        handover.owning.left(feed)
    return response
