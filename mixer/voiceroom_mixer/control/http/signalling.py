"""WHIP (RFC 9725) and WHEP: joining, trickled candidates, ICE restart, leaving."""

from __future__ import annotations

from typing import Final, Literal

from aiohttp import web
from multidict import CIMultiDict

from voiceroom_mixer.config import IceServer
from voiceroom_mixer.control.http import access, body, security
from voiceroom_mixer.control.http.context import context_of
from voiceroom_mixer.control.service import ApiError

SDP: Final = "application/sdp"
FRAGMENT: Final = "application/trickle-ice-sdpfrag"
Mode = Literal["whip", "whep"]
MAX_NAME_CHARS: Final = 64


async def whip(request: web.Request) -> web.Response:
    """POST /rooms/{room}/whip."""
    return await _join(request, "whip")


async def whep(request: web.Request) -> web.Response:
    """POST /rooms/{room}/whep."""
    return await _join(request, "whep")


async def _join(request: web.Request, mode: Mode) -> web.Response:
    numbers = context_of(request).numbers
    try:
        response = await _answer(request, mode)
    except ApiError as error:
        numbers.count("voiceroom_joins_total", result=error.code)
        raise
    numbers.count("voiceroom_joins_total", result="ok")
    return response


async def _answer(request: web.Request, mode: Mode) -> web.Response:
    context = context_of(request)
    room = access.room_of(request)
    claims = access.authorize(request, mode, room)
    name = _name(request)
    offer = await body.read_text(request, SDP)
    replaces = request.query.get("replaces") or None
    joined = await context.service.join(
        room, claims, offer, mode=mode, replaces=replaces, name=name
    )
    headers = _headers(context.rooms.ice_servers(room))
    headers["Location"] = f"/rooms/{room}/{mode}/{joined.leg}"
    headers["ETag"] = joined.etag
    headers["Accept-Patch"] = FRAGMENT
    return web.Response(status=201, text=joined.sdp, content_type=SDP, headers=headers)


def _name(request: web.Request) -> str:
    """What the person wants to be called, beside what the token says. Raises ``ApiError`` 422."""
    name = request.query.get("name", "").strip()
    if len(name) > MAX_NAME_CHARS or not name.isprintable():
        message = f"name must be at most {MAX_NAME_CHARS} printable characters"
        raise ApiError(422, "invalid_field", message, field="name")
    return name


async def patch(request: web.Request) -> web.Response:
    """PATCH of a Location (RFC 9725 §4.3): 204 for candidates, 200 for an ICE restart."""
    room, leg = access.room_of(request), access.leg_of(request)
    access.authorize_leg(request, "patch_leg", room, leg)
    fragment = await body.read_text(request, FRAGMENT)
    if_match = request.headers.get("If-Match")
    joined = await context_of(request).service.patch_ice(room, leg, fragment, if_match)
    if joined is None:
        return web.Response(status=204)
    headers = {"ETag": joined.etag}
    return web.Response(text=joined.sdp, content_type=FRAGMENT, headers=headers)


async def leave(request: web.Request) -> web.Response:
    """DELETE of a Location."""
    room, leg = access.room_of(request), access.leg_of(request)
    claims = access.authorize_leg(request, "delete_leg", room, leg)
    await context_of(request).service.remove_leg(room, leg, claims)
    return web.Response()


async def options(request: web.Request) -> web.Response:
    """Preflight, and what may be posted (RFC 9725 §4.2)."""
    access.count_anonymous(request)
    response = web.Response()
    security.preflight(response)
    if "leg" in request.match_info:
        response.headers["Accept-Patch"] = FRAGMENT
    else:
        response.headers["Accept-Post"] = SDP
        servers = context_of(request).rooms.ice_servers(access.room_of(request))
        response.headers.extend(_headers(servers))
    return response


def _headers(servers: tuple[IceServer, ...]) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for server in servers:
        headers.add("Link", ice_link(server))
    return headers


def ice_link(server: IceServer) -> str:
    """A ``Link`` of relation ``ice-server`` (RFC 9725 §4.6, quoting by RFC 9110 §5.6.4)."""
    link = f'<{_printable(server.url).replace(">", "%3E")}>; rel="ice-server"'
    if server.username:
        link += f"; username={_quoted(server.username)}; credential={_quoted(server.credential)}"
        link += '; credential-type="password"'
    return link


def _quoted(text: str) -> str:
    escaped = _printable(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _printable(text: str) -> str:
    """Without what could begin another header."""
    return "".join(char for char in text if char.isprintable())
