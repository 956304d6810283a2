"""GET /rooms/{room}/events: server-sent events with ids (WHATWG HTML §9.2)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from aiohttp import web

from voiceroom_mixer.control.events.bus import Subscriber
from voiceroom_mixer.control.http import access
from voiceroom_mixer.control.http.context import HttpContext, context_of
from voiceroom_mixer.control.service import Claims

COMMENT_S: Final = 15.0
RETRY_MS: Final = 300
_log = logging.getLogger(__name__)
_COMMENT: Final = b": here\n\n"
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # or nginx holds events back
}


async def stream(request: web.Request) -> web.StreamResponse:
    """Events of the room from now on, or from after ``Last-Event-ID``."""
    context = context_of(request)
    room = access.room_of(request)
    claims = access.authorize_look(request, "events", room)
    last_id = _last_id(request)
    start = context.bus.newest_id()
    subscriber = context.bus.subscribe(room, lambda: _abort(request), last_id)
    response = web.StreamResponse(headers=_HEADERS)
    try:
        await response.prepare(request)
        await response.write(_greeting(start if last_id is None else last_id))
        await _feed(response, subscriber, lambda: _is_welcome(context, room, claims))
    except ConnectionResetError:
        # How a closed tab ends: no error of anybody's.
        _log.debug("an event reader has gone", extra={"room": room})
    finally:
        context.bus.unsubscribe(subscriber)
    return response


def _is_welcome(context: HttpContext, room: str, claims: Claims) -> bool:
    """Not when kicked, nor when the room has gone to another pod: its events are there now."""
    service = context.service
    return service.room_exists(room) and not service.is_revoked(claims.jti)


def _last_id(request: web.Request) -> int | None:
    """None: from now on. What is not a number resumes from nowhere: ``reset`` is told."""
    text = request.headers.get("Last-Event-ID") or request.query.get("lastEventId")
    if not text:
        return None
    return int(text) if len(text) <= 18 and text.isascii() and text.isdecimal() else -1


def _greeting(last_id: int) -> bytes:
    """An id without data is no event, but the reader resumes from it."""
    known = f"id: {last_id}\n" if last_id >= 0 else ""
    return f"retry: {RETRY_MS}\n{known}\n".encode()


async def _feed(
    response: web.StreamResponse, subscriber: Subscriber, is_welcome: Callable[[], bool]
) -> None:
    """Until the stream ends, the reader goes (the write raises), or its token is refused."""
    while True:
        try:
            async with asyncio.timeout(COMMENT_S):
                await subscriber.wait()
        except TimeoutError:
            await response.write(_COMMENT)
        waiting = subscriber.take()
        if waiting:
            await response.write(waiting)
        if subscriber.ended or not is_welcome():
            return


def _abort(request: web.Request) -> None:
    """Cut off a reader that is too slow; it resumes by id."""
    if request.transport is not None:
        request.transport.abort()
