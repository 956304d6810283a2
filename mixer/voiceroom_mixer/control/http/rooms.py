"""The page, and rooms and legs as JSON."""

from __future__ import annotations

import secrets
from typing import Any, Final

from aiohttp import web

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.auth.pin import MAX_PIN_CHARS, MIN_PIN_CHARS
from voiceroom_mixer.control.auth.tokens import MAX_IDENTITY_CHARS, sign
from voiceroom_mixer.control.http import access, body
from voiceroom_mixer.control.http.assets import INDEX, Asset
from voiceroom_mixer.control.http.context import HttpContext, context_of
from voiceroom_mixer.control.service import ApiError

_HTML: Final = "text/html"
_JSON: Final = "application/json"
_REVALIDATE: Final = {"Cache-Control": "no-cache"}


async def room(request: web.Request) -> web.Response:
    """GET /rooms/{room}: the page where HTML is asked for, otherwise JSON.

    The page holds no secret and is given to anybody: without a token it asks for the PIN, and it
    is the page that has words for a token which is no good.
    """
    if not wants_page(request):
        return _room_json(request)
    access.count_anonymous(request)
    context = context_of(request)
    exists = context.exists(access.room_of(request))
    page = context.assets.find(INDEX)
    if page is None:
        raise ApiError(404, "no_page", "this mixer was built without its page")
    return _serve(request, page, 200 if exists else 404)


def wants_page(request: web.Request) -> bool:
    """Of a GET of a room: whether its page is asked for, which is the same everywhere."""
    return _wants_html(request.headers.get("Accept", ""))


def _room_json(request: web.Request) -> web.Response:
    name = access.room_of(request)
    access.authorize_look(request, "read_room", name)
    value = context_of(request).service.room_json(name)
    return web.json_response(value, headers={"Vary": "Accept"})


def _wants_html(accept: str) -> bool:
    """Whether HTML is named, and not below JSON; ``*/*`` alone gets JSON (RFC 9110 §12.5.1)."""
    quality = {_HTML: 0.0, _JSON: 0.0}
    for part in accept.split(",")[:32]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name in quality:
            quality[name] = _quality(parameters)
    return quality[_HTML] > 0 and quality[_HTML] >= quality[_JSON]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            number = parameter[2:]
            return float(number) if number.replace(".", "", 1).isdecimal() else 0.0
    return 1.0


async def asset(request: web.Request) -> web.Response:
    """GET /assets/{name}: part of the page; not limited, one page asks for many at once."""
    found = context_of(request).assets.find(request.match_info["name"])
    if found is None:
        raise ApiError(404, "not_found", "the page has no such file")
    return _serve(request, found, 200)


def _serve(request: web.Request, found: Asset, status: int) -> web.Response:
    headers = _REVALIDATE | {"ETag": found.etag, "Vary": "Accept"}
    is_known = status == 200 and found.etag in request.headers.get("If-None-Match", "")
    response = web.Response(
        body=None if is_known else found.body, status=304 if is_known else status, headers=headers
    )
    # with a 304 as well: a browser takes its headers, the policy of a page among them, for the copy
    response.content_type = found.content_type
    if found.content_type.startswith("text/"):
        response.charset = "utf-8"
    return response


async def list_rooms(request: web.Request) -> web.Response:
    """GET /rooms."""
    access.authorize(request, "list_rooms", None)
    return web.json_response({"rooms": context_of(request).service.rooms_json()})


async def patch_room(request: web.Request) -> web.Response:
    """PATCH /rooms/{room} ``{muteAll, locked}``."""
    name = access.room_of(request)
    claims = access.authorize(request, "patch_room", name)
    change = await body.read_json(request)
    return web.json_response(await context_of(request).service.patch_room(name, claims, change))


async def add_rtp_leg(request: web.Request) -> web.Response:
    """POST /rooms/{room}/legs."""
    name = access.room_of(request)
    claims = access.authorize(request, "add_rtp_leg", name)
    wanted = await body.read_json(request)
    leg = await context_of(request).service.add_rtp_leg(name, claims, wanted)
    location = {"Location": f"/rooms/{name}/legs/{leg['id']}"}
    return web.json_response(leg, status=201, headers=location)


async def patch_leg(request: web.Request) -> web.Response:
    """PATCH /rooms/{room}/legs/{id} ``{muted, gainDb, hears}``."""
    name, leg = access.room_of(request), access.leg_of(request)
    claims = access.authorize_leg(request, "patch_leg", name, leg)
    change = await body.read_json(request)
    service = context_of(request).service
    return web.json_response(await service.patch_leg(name, leg, claims, change))


async def remove_leg(request: web.Request) -> web.Response:
    """DELETE /rooms/{room}/legs/{id}: leave, or kick."""
    name, leg = access.room_of(request), access.leg_of(request)
    claims = access.authorize_leg(request, "delete_leg", name, leg)
    await context_of(request).service.remove_leg(name, leg, claims)
    return web.Response(status=204)


async def remove_all(request: web.Request) -> web.Response:
    """DELETE /rooms/{room}/legs: kick everybody."""
    name = access.room_of(request)
    claims = access.authorize(request, "kick_all", name)
    removed = await context_of(request).service.remove_all(name, claims)
    return web.json_response({"removed": removed})


async def token(request: web.Request) -> web.Response:
    """POST /rooms/{room}/token ``{pin, name}``: a speaker's token for who knows the PIN."""
    name = access.room_of(request)
    access.count_anonymous(request)
    wanted = await body.read_json(request)
    identity = _text(wanted, "name", 1, MAX_IDENTITY_CHARS)
    pin = _text(wanted, "pin", MIN_PIN_CHARS, MAX_PIN_CHARS)
    context = context_of(request)
    if not context.service.room_exists(name):
        raise ApiError(404, "no_room", f"there is no room {name!r} here")
    _check_pin(request, context, name, pin)
    return web.json_response(_speaker_token(context, name, identity))


def _check_pin(request: web.Request, context: HttpContext, name: str, pin: str) -> None:
    pin_hash = context.rooms.pin_hash(name)
    source = access.source_of(request).limit_key
    try:
        context.pins.check(pin, pin_hash, source, context.now_ns())
    except ApiError as error:
        if error.code == "wrong_pin":
            context.numbers.count("voiceroom_auth_failures_total", reason=error.code)
        raise


def _speaker_token(context: HttpContext, name: str, identity: str) -> dict[str, Any]:
    ttl_s = context.rooms.token_ttl_s(name)
    now_s = context.wall_ns() / NS_PER_S
    signed = sign(
        context.keys(),
        sub=identity,
        room=name,
        role="speaker",
        now_s=now_s,
        ttl_s=ttl_s,
        jti=secrets.token_urlsafe(12),
    )
    return {"token": signed, "expiresIn": ttl_s}


def _text(value: dict[str, Any], field: str, shortest: int, longest: int) -> str:
    text = value.get(field)
    if not isinstance(text, str) or not shortest <= len(text) <= longest or not text.isprintable():
        message = f"{field} must be {shortest} to {longest} printable characters"
        raise ApiError(422, "invalid_field", message, field=field)
    return text
