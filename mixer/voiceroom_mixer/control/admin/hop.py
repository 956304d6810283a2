"""The headers in which one mixer tells another who asked it, and the receiving end of that.

Only ``--admin`` reads them, behind the pool's certificates and the admin token; what a client sends
under these names goes nowhere.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from multidict import CIMultiDict

from voiceroom_mixer.control.auth.proxies import Source
from voiceroom_mixer.control.http import access
from voiceroom_mixer.control.http.context import context_of
from voiceroom_mixer.control.service import ApiError

AUTHORIZATION: Final = "X-Voiceroom-Authorization"
SOURCE: Final = "X-Voiceroom-Source"
SCHEME: Final = "X-Voiceroom-Scheme"
ASKED: Final = (
    "Accept",
    "Content-Encoding",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
)
"""Of the client's request."""
ANSWERED: Final = (
    "Accept-Patch",
    "Accept-Post",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Max-Age",
    "Allow",
    "Cache-Control",
    "Content-Type",
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "Vary",
    "WWW-Authenticate",
    "X-Accel-Buffering",
)
"""Of the owner's answer."""


def as_forwarded(request: web.Request, token: str, source: Source) -> CIMultiDict[str]:
    """The headers of the request to the owner; ``token`` is this mixer's own."""
    headers: CIMultiDict[str] = CIMultiDict()
    for name in ASKED:
        if name in request.headers:
            headers[name] = request.headers[name]
    if "Authorization" in request.headers:
        headers[AUTHORIZATION] = request.headers["Authorization"]
    headers["Authorization"] = f"Bearer {token}"
    headers[SOURCE], headers[SCHEME] = source.address, source.scheme
    headers["Accept-Encoding"] = "identity"
    return headers


@web.middleware
async def receive(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Handle the client's request as if it had come here; never pass it on again."""
    access.require_admin(request)
    context = context_of(request)
    room = request.match_info.get("room")
    if room is not None and not context.service.room_exists(room) and context.exists(room):
        raise not_here_yet(room)
    return await handler(_as_asked(request))


def _as_asked(request: web.Request) -> web.Request:
    headers = CIMultiDict(request.headers)
    for name in ("Authorization", "X-Forwarded-For", "X-Forwarded-Proto"):
        headers.popall(name, None)
    asked = headers.pop(AUTHORIZATION, None)
    if asked is not None:
        headers["Authorization"] = asked
    scheme = headers.pop(SCHEME, request.scheme)
    return request.clone(headers=headers, scheme=scheme, remote=headers.pop(SOURCE, "unknown"))


def not_here_yet(room: str) -> ApiError:
    """503: the room is between two pods for a moment."""
    message = f"the room {room!r} is changing pods: try again at once"
    return ApiError(503, "room_moving", message, headers={"Retry-After": "1"})
