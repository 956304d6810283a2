"""``/admin/v1/chaos``: faults on order, with the admin token, where ``--chaos`` is switched on."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from voiceroom_mixer.control.chaos.desk import ChaosDesk
from voiceroom_mixer.control.http import access, body
from voiceroom_mixer.control.http.context import context_of
from voiceroom_mixer.control.service import ApiError, Claims

PATH: Final = "/admin/v1/chaos"


def _opened(request: web.Request) -> tuple[ChaosDesk, Claims]:
    """Raises ``ApiError`` 401, 403, and 404 where the switch is off."""
    claims = access.authorize(request, "debug", None)
    desk = context_of(request).chaos
    if desk is None:
        message = (
            "chaos is switched off here: start the mixer with --chaos, in a cluster by the "
            "chart's value chaos.enabled"
        )
        raise ApiError(404, "chaos_off", message)
    return desk, claims


async def start(request: web.Request) -> web.Response:
    """POST: 201 with what runs now; 409 ``chaos_runs``; 422 with the field."""
    desk, claims = _opened(request)
    return web.json_response(desk.start(await body.read_json(request), claims.sub), status=201)


async def show(request: web.Request) -> web.Response:
    """GET: what runs, and until when."""
    return web.json_response(_opened(request)[0].document())


async def end(request: web.Request) -> web.Response:
    """DELETE: at once."""
    desk, claims = _opened(request)
    return web.json_response(desk.end(claims.sub))


def routes() -> list[web.RouteDef]:
    """On ``--admin``, and on ``--http`` where there is no ``--admin``."""
    return [web.post(PATH, start), web.get(PATH, show), web.delete(PATH, end)]
