"""Who asks, and whether they may: source, token, limits, role, in this order (contract §3, §4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from aiohttp import web

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.auth import roles
from voiceroom_mixer.control.auth.proxies import Source
from voiceroom_mixer.control.auth.roles import Action
from voiceroom_mixer.control.auth.tokens import bearer
from voiceroom_mixer.control.http.context import HttpContext, context_of
from voiceroom_mixer.control.service import ApiError, Claims

_ROOM: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LEG: Final = re.compile(r"[\w-]{1,64}", re.ASCII)
ExpiredIsFine = Callable[[Claims], bool]


def source_of(request: web.Request) -> Source:
    """Who asks, looking through trusted proxies."""
    return context_of(request).proxies.source(
        request.remote or "unknown",
        request.scheme,
        request.headers.getall("X-Forwarded-For", []),
        request.headers.get("X-Forwarded-Proto"),
    )


def count_anonymous(request: web.Request) -> None:
    """Count a request without a token on its source. Raises ``ApiError`` 429."""
    context = context_of(request)
    context.limits.anonymous(source_of(request).limit_key, context.now_ns())


def room_of(request: web.Request) -> str:
    """The room's name in the path. Raises ``ApiError`` 404."""
    name = request.match_info["room"]
    if not _ROOM.fullmatch(name):
        raise ApiError(404, "no_room", "a room's name is a DNS label: a-z, 0-9 and -")
    return name


def leg_of(request: web.Request) -> str:
    """The leg's id in the path. Raises ``ApiError`` 404."""
    leg = request.match_info["leg"]
    if not _LEG.fullmatch(leg):
        raise ApiError(404, "no_leg", "this leg is not in the room (any more)")
    return leg


def authorize(
    request: web.Request, action: Action, room: str | None, *, expired: ExpiredIsFine | None = None
) -> Claims:
    """The claims of a token that may do ``action``. Raises ``ApiError`` 401, 403, 404, 429.

    ``expired`` decides about a token that is good but for its time.
    """
    context = context_of(request)
    claims = _claims(request, context, expired)
    context.limits.authenticated(claims, context.now_ns())
    _allow(request, context, claims, action, room, own_leg=True)
    if room is not None and not context.service.room_exists(room):
        raise ApiError(404, "no_room", f"there is no room {room!r} here")
    return claims


def authorize_leg(request: web.Request, action: Action, room: str, leg: str) -> Claims:
    """The same for a leg: the token that made it may act on it, after its exp too."""
    service = context_of(request).service

    def is_own(claims: Claims) -> bool:
        return claims.room == room and service.leg_token_owner(room, leg) == claims.jti

    claims = authorize(request, action, room, expired=is_own)
    _allow(request, context_of(request), claims, action, room, own_leg=is_own(claims))
    return claims


def authorize_look(request: web.Request, action: Action, room: str) -> Claims:
    """The same for looking at a room: who is in it may go on looking after the token's exp."""
    service = context_of(request).service
    return authorize(
        request,
        action,
        room,
        expired=lambda claims: claims.room == room and service.holds_leg(room, claims.jti),
    )


def require_admin(request: web.Request) -> None:
    """A mixer of the pool, or the operator, on ``--admin``: its certificate has been verified, so
    only the token is looked at. Raises ``ApiError`` 401, 403."""
    roles.require(_claims(request, context_of(request), None), "admin", None)


def _claims(request: web.Request, context: HttpContext, expired: ExpiredIsFine | None) -> Claims:
    token = _token(request)
    if token is None:
        count_anonymous(request)
        challenge = {"WWW-Authenticate": 'Bearer realm="voiceroom"'}
        message = "this needs a token: Authorization: Bearer TOKEN"
        raise ApiError(401, "token_required", message, headers=challenge)
    try:
        claims = _verify(context, token, expired)
        if context.service.is_revoked(claims.jti):
            raise ApiError(403, "kicked", "whoever came with this link was removed from the room")
    except ApiError as error:
        _failed(request, context, error)
        raise
    return claims


def _token(request: web.Request) -> str | None:
    """From the header; a GET may carry it in the query (EventSource and links set no headers)."""
    try:
        token = bearer(request.headers.get("Authorization"))
    except ApiError as error:
        _failed(request, context_of(request), error)
        raise
    if token is None and request.method in ("GET", "HEAD"):
        return request.query.get("token") or None
    return token


def _verify(context: HttpContext, token: str, expired: ExpiredIsFine | None) -> Claims:
    try:
        return context.tokens.verify(token, context.wall_ns() / NS_PER_S)
    except ApiError as error:
        if error.code != "expired_token" or expired is None:
            raise
        claims = context.tokens.verify_signature_only(token)
        if not _is_fine(expired, claims):
            raise
        return claims


def _is_fine(expired: ExpiredIsFine, claims: Claims) -> bool:
    try:
        return expired(claims)
    except ApiError:
        return False  # the leg is gone: then the time counts


def _failed(request: web.Request, context: HttpContext, error: ApiError) -> None:
    """A refused token counts on its source, as if there had been none. Raises 429 beyond that."""
    context.numbers.count("voiceroom_auth_failures_total", reason=error.code)
    count_anonymous(request)


def _allow(
    request: web.Request,
    context: HttpContext,
    claims: Claims,
    action: Action,
    room: str | None,
    *,
    own_leg: bool,
) -> None:
    try:
        roles.require(claims, action, room, own_leg)
    except ApiError as error:
        _failed(request, context, error)
        raise
