"""A look inside, for the admin token."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
from typing import Any, Final

from aiohttp import web

from voiceroom_mixer.control.http import access, body
from voiceroom_mixer.control.http.context import context_of
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.control.watchdog import all_stacks

_log = logging.getLogger(__name__)
MAX_TASKS: Final = 500
_FRAMES: Final = 8


async def room(request: web.Request) -> web.Response:
    """GET /debug/rooms/{room}: everything per leg."""
    name = access.room_of(request)
    access.authorize(request, "debug", name)
    return web.json_response(context_of(request).service.debug_json(name))


async def tasks(request: web.Request) -> web.Response:
    """GET /debug/tasks: what runs on the event loop, the first ``MAX_TASKS`` with their stacks."""
    access.authorize(request, "debug", None)
    running = sorted(asyncio.all_tasks(), key=lambda task: task.get_name())
    listed = [_task_json(task) for task in running[:MAX_TASKS]]
    return web.json_response({"count": len(running), "tasks": listed})


def _task_json(task: asyncio.Task[Any]) -> dict[str, Any]:
    stack = io.StringIO()
    task.print_stack(limit=_FRAMES, file=stack)
    return {"name": task.get_name(), "stack": stack.getvalue().splitlines()}


async def threads(request: web.Request) -> web.Response:
    """GET /debug/threads: the stacks of control's threads and of every media process.

    Media's are taken by a signal, so that one which hangs shows where.
    """
    access.authorize(request, "debug", None)
    stacks = {name: stack.splitlines() for name, stack in all_stacks().items()}
    media = await context_of(request).operations.media_stacks()
    return web.json_response({"threads": stacks, "media": media})


async def collect(request: web.Request) -> web.Response:
    """POST /debug/gc ``{"emergency": true}``: a full collection here and in media.

    It stops every room for as long as it takes, hence the word that must be said.
    """
    claims = access.authorize(request, "debug", None)
    wanted = await body.read_json(request)
    if wanted.get("emergency") is not True:
        message = 'a full collection is heard in every room: say {"emergency": true}'
        raise ApiError(422, "not_confirmed", message, field="emergency")
    told = context_of(request).operations.collect_media()
    freed = gc.collect()
    _log.warning("emergency collection", extra={"by": claims.sub, "freed": freed, "media": told})
    return web.json_response({"emergency": True, "freedInControl": freed, "mediaTold": told})


def routes() -> list[web.RouteDef]:
    """On ``--admin``, and on ``--http`` where there is no ``--admin``."""
    return [
        web.get("/debug/rooms/{room}", room),
        web.get("/debug/tasks", tasks),
        web.get("/debug/threads", threads),
        web.post("/debug/gc", collect),
    ]
