"""The operator's calls on ``--admin`` (contract §7)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from voiceroom_mixer.control.admin.pod import PodSide
from voiceroom_mixer.control.admin.status import held_back
from voiceroom_mixer.control.http import access, body

MAX_DOCUMENT: Final = 4 * 1024 * 1024
PREFIX: Final = "/admin/v1"


class Routes:
    """Handlers over the pod's side."""

    def __init__(self, pod: PodSide) -> None:
        self._pod = pod

    def table(self) -> list[web.RouteDef]:
        """Assignment, directory, status."""
        return [
            web.put(f"{PREFIX}/assignment", self.assignment),
            web.put(f"{PREFIX}/directory", self.directory),
            web.get(f"{PREFIX}/status", self.status),
        ]

    async def assignment(self, request: web.Request) -> web.Response:
        """PUT /admin/v1/assignment: 200; 409 ``stale_term``, ``gap``; 422."""
        access.require_admin(request)
        await self._pod.desk.assign(await body.read_json(request, MAX_DOCUMENT))
        return web.json_response(self._has())

    def _has(self) -> dict[str, Any]:
        desk = self._pod.desk
        held = held_back(self._pod.held())
        return {"term": desk.term, "generation": desk.generation, "kept": desk.kept, "held": held}

    async def directory(self, request: web.Request) -> web.Response:
        """PUT /admin/v1/directory: 200; 409 ``stale_term``, ``gap``; 422."""
        access.require_admin(request)
        desk = self._pod.desk
        await desk.direct(await body.read_json(request, MAX_DOCUMENT))
        return web.json_response({"term": desk.term, "number": desk.directory.number})

    async def status(self, request: web.Request) -> web.Response:
        """GET /admin/v1/status."""
        access.require_admin(request)
        return web.json_response(self._pod.status.document())


def own_certificate(pod: PodSide) -> Any:
    """A middleware: the client shows a certificate for the pool's name."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        pod.trust.require_name(request)
        return await handler(request)

    return check
