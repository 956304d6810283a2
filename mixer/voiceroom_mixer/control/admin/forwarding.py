"""Passes people's requests for a room of another pod on to that pod: one hop, bounded, counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from voiceroom_mixer.control.admin import hop
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.directory import Place
from voiceroom_mixer.control.admin.trust import Trust
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.http import access, body
from voiceroom_mixer.control.http.apps import FORWARD
from voiceroom_mixer.control.service import ApiError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MAX_REQUESTS: Final = 256
MAX_STREAMS: Final = 4096
CONNECT_S: Final = 2.0
ANSWER_S: Final = 15.0
FIRST_WORD_S: Final = 5.0
"""The operator speaks to a pod within a second of its being Ready."""
SILENCE_S: Final = 40.0
"""An event stream says something every 15 s."""
MAX_ANSWER: Final = 4 * 1024 * 1024
_EVENTS: Final = "text/event-stream"
_METRIC: Final = "voiceroom_forwarded_requests_total"


class Forwarder:
    """``Elsewhere`` of the door for people."""

    def __init__(
        self,
        desk: Desk,
        pod: str,
        trust: Trust,
        token: Callable[[], str],
        numbers: Numbers,
        given: Callable[[str], Place | None] = lambda _: None,
    ) -> None:
        """``pod``: this one's name; ``token``: a fresh admin token of the pool; ``given``: to whom
        this pod itself has given a room."""
        self._desk, self._pod, self._given = desk, pod, given
        self._trust, self._token, self._numbers = trust, token, numbers
        self._session: aiohttp.ClientSession | None = None
        self._requests = self._streams = 0

    def knows(self, room: str) -> bool:
        """By the directory; before the operator has spoken, any room may be there."""
        return self._desk.place(room) is not None or not self._desk.told

    async def first_word(self) -> None:
        """A pod that has just begun is asked before the operator has told it where rooms are: that
        takes a moment, and who asks waits for it. Raises ``ApiError`` 503 ``busy``."""
        if self._desk.told:
            return
        async with self._counted(is_stream=False):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._desk.first_word(), FIRST_WORD_S)

    async def start(self) -> None:
        """Inside the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=0, enable_cleanup_closed=False),
            timeout=aiohttp.ClientTimeout(total=ANSWER_S, sock_connect=CONNECT_S),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def stop(self) -> None:
        """Ends what is still being passed on."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def forward(self, request: web.Request, room: str) -> web.StreamResponse:
        """Raises ``ApiError`` 503 ``room_moving``, ``owner_unreachable``, ``busy``."""
        place = self._place(room)
        if place is None or place.pod == self._pod:
            raise hop.not_here_yet(room)  # the directory, or the assignment, is on its way
        is_stream = request.path.endswith("/events")
        async with self._counted(is_stream):
            try:
                return await self._pass_on(request, place, is_stream)
            except (aiohttp.ClientError, TimeoutError) as error:
                self._count("unreachable")
                raise _unreachable(room) from error

    def _place(self, room: str) -> Place | None:
        """By whoever knows of the later epoch."""
        told, given = self._desk.place(room), self._given(room)
        later = given is not None and (told is None or given.epoch > told.epoch)
        return given if later else told

    @asynccontextmanager
    async def _counted(self, is_stream: bool) -> AsyncIterator[None]:
        if self._streams >= MAX_STREAMS if is_stream else self._requests >= MAX_REQUESTS:
            self._count("busy")
            message = "too many requests for other pods at once: try again in a moment"
            raise ApiError(503, "busy", message, headers={"Retry-After": "1"})
        self._streams += is_stream
        self._requests += not is_stream
        try:
            yield
        finally:
            self._streams -= is_stream
            self._requests -= not is_stream

    async def _pass_on(
        self, request: web.Request, place: Place, is_stream: bool
    ) -> web.StreamResponse:
        assert self._session is not None
        data = await body.read_raw(request, body.SDP_BYTES) if request.can_read_body else None
        silence = aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=SILENCE_S)
        async with self._session.request(
            request.method,
            URL(f"https://{place.address}{FORWARD}{request.rel_url.raw_path_qs}", encoded=True),
            data=data,
            headers=hop.as_forwarded(request, self._token(), access.source_of(request)),
            ssl=self._trust.client(),
            server_hostname=self._trust.name,
            allow_redirects=False,
            timeout=silence
            if is_stream
            else aiohttp.ClientTimeout(ANSWER_S, None, None, CONNECT_S),
        ) as answer:
            self._count("ok")
            if answer.content_type == _EVENTS:
                return await _stream(request, answer)
            return await _whole(answer)

    def _count(self, result: str) -> None:
        self._numbers.count(_METRIC, result=result)


def _unreachable(room: str) -> ApiError:
    message = f"the pod that runs the room {room!r} does not answer: try again in a moment"
    return ApiError(503, "owner_unreachable", message, headers={"Retry-After": "1"})


def _headers(answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
    return CIMultiDict(
        (name, value) for name in hop.ANSWERED for value in answer.headers.getall(name, ())
    )


async def _whole(answer: aiohttp.ClientResponse) -> web.Response:
    taken = bytearray()
    async for chunk in answer.content.iter_any():
        taken += chunk
        if len(taken) > MAX_ANSWER:
            raise aiohttp.ClientPayloadError("the owner's answer is too long")
    return web.Response(status=answer.status, body=bytes(taken), headers=_headers(answer))


async def _stream(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    """Until either side ends it; an owner that goes silent ends it too, and the reader resumes."""
    response = web.StreamResponse(status=answer.status, headers=_headers(answer))
    await response.prepare(request)
    with suppress(aiohttp.ClientError, TimeoutError, ConnectionResetError):
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
    return response
