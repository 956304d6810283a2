"""Which routes stand on which listener (contract §2)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from voiceroom_mixer.control.http import access, body, chaos, debug, ops, people, rooms
from voiceroom_mixer.control.http.context import CONTEXT, HttpContext, context_of
from voiceroom_mixer.control.http.middleware import guard
from voiceroom_mixer.control.http.security import add_headers

FORWARD: Final = "/admin/v1/forward"


@web.middleware
async def elsewhere(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What is asked of a room of another pod is answered by that one; the page is the same here."""
    context, room = context_of(request), request.match_info.get("room")
    other = context.elsewhere
    is_page = request.match_info.handler is rooms.room and rooms.wants_page(request)
    if room is None or other is None or is_page:
        return await handler(request)
    if not context.service.room_exists(room):
        await other.first_word()
    if context.service.room_exists(room) or not other.knows(room):
        return await handler(request)
    return await other.forward(request, access.room_of(request))


def _app(
    context: HttpContext, routes: Iterable[web.RouteDef], *more: Middleware
) -> web.Application:
    app = web.Application(middlewares=[guard, *more], client_max_size=body.SDP_BYTES)
    app[CONTEXT] = context
    app.add_routes(routes)
    app.on_response_prepare.append(add_headers)
    return app


def _inside() -> list[web.RouteDef]:
    """For the admin token: a look inside, and faults on order."""
    return [*debug.routes(), *chaos.routes()]


def people_app(context: HttpContext) -> web.Application:
    """``--http``; on a laptop also what has no listener of its own."""
    routes = [*people.routes(), *ops.probe_routes()]
    if context.config.admin is None:
        routes += _inside()
    if context.config.metrics is None:
        routes += ops.metrics_routes()
    return _app(context, routes, elsewhere) if context.elsewhere else _app(context, routes)


def admin_app(context: HttpContext) -> web.Application:
    """``--admin``."""
    return _app(context, [*_inside(), *ops.probe_routes()])


def pod_admin_app(
    context: HttpContext, routes: Iterable[web.RouteDef], check: Middleware, receive: Middleware
) -> web.Application:
    """``--admin`` of a pod: the operator's ``routes``, and the door for people once more, for
    other mixers. ``check``: of every client; ``receive``: of what is forwarded."""
    app = _app(context, [*routes, *_inside(), *ops.probe_routes()], check)
    forwarded = web.Application(middlewares=[receive], client_max_size=body.SDP_BYTES)
    forwarded[CONTEXT] = context
    forwarded.add_routes(people.routes())
    app.add_subapp(FORWARD, forwarded)
    return app


def metrics_app(context: HttpContext) -> web.Application:
    """``--metrics``."""
    return _app(context, [*ops.metrics_routes(), *ops.probe_routes()])
