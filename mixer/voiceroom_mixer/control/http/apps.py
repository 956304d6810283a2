"""Which routes stand on which listener (contract §2)."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from voiceroom_mixer.control.http import body, debug, ops, people
from voiceroom_mixer.control.http.context import CONTEXT, HttpContext
from voiceroom_mixer.control.http.middleware import guard
from voiceroom_mixer.control.http.security import add_headers


def _app(context: HttpContext, routes: Iterable[web.RouteDef]) -> web.Application:
    app = web.Application(middlewares=[guard], client_max_size=body.SDP_BYTES)
    app[CONTEXT] = context
    app.add_routes(routes)
    app.on_response_prepare.append(add_headers)
    return app


def people_app(context: HttpContext) -> web.Application:
    """``--http``; on a laptop also what has no listener of its own."""
    routes = [*people.routes(), *ops.probe_routes()]
    if context.config.admin is None:
        routes += debug.routes()
    if context.config.metrics is None:
        routes += ops.metrics_routes()
    return _app(context, routes)


def admin_app(context: HttpContext) -> web.Application:
    """``--admin``."""
    return _app(context, [*debug.routes(), *ops.probe_routes()])


def metrics_app(context: HttpContext) -> web.Application:
    """``--metrics``."""
    return _app(context, [*ops.metrics_routes(), *ops.probe_routes()])
