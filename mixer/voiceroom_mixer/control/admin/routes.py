"""The operator's calls on ``--admin`` (contract §7)."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from voiceroom_mixer.control.admin.pod import PodSide
from voiceroom_mixer.control.admin.status import held_back
from voiceroom_mixer.control.http import access, body
from voiceroom_mixer.control.moving.serving import serve_feed
from voiceroom_mixer.control.rooms.registry import Room

MAX_DOCUMENT: Final = 4 * 1024 * 1024
PREFIX: Final = "/admin/v1"


class Routes:
    """Handlers over the pod's side."""

    def __init__(self, pod: PodSide) -> None:
        self._pod = pod

    def table(self) -> list[web.RouteDef]:
        """Assignment, directory, status; and what other mixers ask for."""
        return [
            web.put(f"{PREFIX}/assignment", self.assignment),
            web.put(f"{PREFIX}/directory", self.directory),
            web.get(f"{PREFIX}/status", self.status),
            web.get(f"{PREFIX}/rooms/{{room}}/feed", self.feed),
            web.post(f"{PREFIX}/rooms/{{room}}/cut", self.cut),
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

    def _owned(self, request: web.Request) -> Room:
        """Raises ``ApiError`` 404."""
        access.require_admin(request)
        return self._pod.handover.house.registry.room(access.room_of(request))

    async def feed(self, request: web.Request) -> web.StreamResponse:
        """GET /admin/v1/rooms/{room}/feed: what stands by for the room has to know; see
        ``control/moving/feeds.py``. 404, 422, 503."""
        room = self._owned(request)
        return await serve_feed(request, room, self._pod.handover, self._pod.hello(room))

    async def cut(self, request: web.Request) -> web.Response:
        """POST /admin/v1/rooms/{room}/cut ``{pod, uid, epoch, move, version}``: stop in favour of a
        reader of the feed, who has all of it. 200; 404; 409 ``not_this_room``, ``old_epoch``,
        ``behind``, ``moving``; 422."""
        room = self._owned(request)
        order = await body.read_json(request)
        handover = self._pod.handover
        handover.owning.order(room, order, handover.house.clock.now_ns())
        return web.json_response({"epoch": room.state.seat.epoch})


def own_certificate(pod: PodSide) -> Any:
    """A middleware: the client shows a certificate for the pool's name."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        pod.trust.require_name(request)
        return await handler(request)

    return check
