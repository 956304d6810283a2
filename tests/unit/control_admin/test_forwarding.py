"""Requests for rooms of other pods: what is not even passed on, and what the owner is told."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from fakes import door, looptime
from fakes.door import Door
from voiceroom_mixer.control.admin import forwarding, hop
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.store import Store
from voiceroom_mixer.control.auth.proxies import Source
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.http.apps import FORWARD, people_app, pod_admin_app
from voiceroom_mixer.control.http.context import HttpContext
from voiceroom_mixer.control.service import ApiError


class Elsewhere:
    """Rooms of other pods, by hand."""

    def __init__(self, *rooms: str) -> None:
        self.rooms = rooms
        self.asked: list[str] = []

    async def first_word(self) -> None:
        """Was spoken."""

    def knows(self, room: str) -> bool:
        """By the list."""
        return room in self.rooms

    async def forward(self, request: web.Request, room: str) -> web.StreamResponse:
        """Notes it."""
        self.asked.append(f"{request.method} {request.path} {room}")
        return web.Response(text="from the owner")


@web.middleware
async def _open(request: web.Request, handler: Any) -> web.StreamResponse:
    response: web.StreamResponse = await handler(request)
    return response


def admin(context: HttpContext) -> web.Application:
    """``--admin`` without TLS."""
    return pod_admin_app(context, [], _open, hop.receive)


def at_admin(folder: Path, scenario: Any) -> None:
    async def main() -> None:
        async with door.opened(folder, admin) as opened:
            await scenario(opened)

    looptime.run(main())


def forwarded(user: str | None, **more: str) -> dict[str, str]:
    headers = {hop.SOURCE.replace("-", "_"): "203.0.113.5", hop.SCHEME.replace("-", "_"): "https"}
    if user is not None:
        headers[hop.AUTHORIZATION.replace("-", "_")] = f"Bearer {user}"
    return headers | more


def test_the_owner_sees_the_client_and_not_the_pod_between(tmp_path: Path) -> None:
    async def scenario(opened: Door) -> None:
        mixer = opened.token("admin", room="pool", jti="mixer")
        path = f"{FORWARD}/rooms/hall/token"
        for n in range(6):
            answer = await opened.ask(
                "POST",
                path,
                token=mixer,
                data='{"pin": "0000", "name": "eve"}',
                content_type="application/json",
                **forwarded(None, X_Forwarded_For=f"192.0.2.{n}"),
            )
            assert answer.status == (403 if n < 5 else 429), "one source, whatever it claims"
        other = forwarded(None) | {hop.SOURCE.replace("-", "_"): "203.0.113.6"}
        body = '{"pin": "0000", "name": "ann"}'
        kind = "application/json"
        answer = await opened.ask("POST", path, token=mixer, data=body, content_type=kind, **other)
        assert answer.status == 403, "another source has its own tries"

    at_admin(tmp_path, scenario)


def test_the_clients_token_decides_and_the_mixers_opens_the_door(tmp_path: Path) -> None:
    async def scenario(opened: Door) -> None:
        mixer = opened.token("admin", room="pool", jti="mixer")
        path = f"{FORWARD}/rooms/lobby"
        user = opened.token("speaker")

        async def status(token: str | None, asked: str | None) -> int:
            return (await opened.ask("GET", path, token=token, **forwarded(asked))).status

        assert await status(mixer, user) == 200
        assert await status(mixer, None) == 401, "the mixer's token is not the client's"
        assert await status(mixer, opened.token("speaker", room="hall")) == 403
        assert await status(user, user) == 403
        assert await status(None, user) == 401
        asked = f"{path}?token={user}"
        query = await opened.ask("GET", asked, token=mixer, **forwarded(None))
        assert query.status == 200

    at_admin(tmp_path, scenario)


def test_a_room_that_has_gone_on_is_not_passed_on_again(tmp_path: Path) -> None:
    async def scenario(opened: Door) -> None:
        mixer, user = opened.token("admin", jti="mixer"), opened.token("admin")
        for room, expected in (("attic", 503), ("cellar", 404)):
            path = f"{FORWARD}/rooms/{room}"
            answer = await opened.ask("GET", path, token=mixer, **forwarded(user))
            assert answer.status == expected
            if expected == 503:
                assert (await answer.json())["error"] == "room_moving"
                assert "Retry-After" in answer.headers

    async def main() -> None:
        elsewhere = Elsewhere("attic")

        def app(context: HttpContext) -> web.Application:
            return admin(dataclasses.replace(context, elsewhere=elsewhere))

        async with door.opened(tmp_path, app) as opened:
            await scenario(opened)
        assert elsewhere.asked == []

    looptime.run(main())


def test_only_what_is_not_here_goes_elsewhere(tmp_path: Path) -> None:
    async def main() -> None:
        elsewhere = Elsewhere("attic")

        def app(context: HttpContext) -> web.Application:
            return people_app(dataclasses.replace(context, elsewhere=elsewhere))

        async with door.opened(tmp_path, app) as opened:
            admin_token = opened.token("admin")
            page = await opened.ask("GET", "/rooms/attic", Accept="text/html")
            assert page.status == 200, "the page is the same everywhere"
            missing = await opened.ask("GET", "/rooms/cellar", Accept="text/html")
            assert missing.status == 404
            assert (await opened.ask("GET", "/rooms/lobby", token=admin_token)).status == 200
            assert (await opened.ask("GET", "/rooms/cellar", token=admin_token)).status == 404
            assert (await opened.ask("GET", "/rooms", token=admin_token)).status == 200
            assert elsewhere.asked == []
            for method, path in (
                ("GET", "/rooms/attic"),
                ("POST", "/rooms/attic/whip"),
                ("OPTIONS", "/rooms/attic/whep"),
                ("DELETE", "/rooms/attic/whip/leg-1"),
                ("GET", "/rooms/attic/events"),
            ):
                answer = await opened.ask(method, path)
                assert await answer.text() == "from the owner"
            assert len(elsewhere.asked) == 5

    looptime.run(main())


def test_what_a_client_says_for_another_mixer_is_left_out() -> None:
    sent = CIMultiDict(
        {
            "Authorization": "Bearer user",
            "X-Voiceroom-Source": "192.0.2.9",
            "X-Forwarded-For": "192.0.2.9",
            "Cookie": "a=b",
            "If-Match": "*",
        }
    )
    request = _request(sent)
    headers = hop.as_forwarded(request, "mixer", Source("203.0.113.5", "https"))
    assert headers["Authorization"] == "Bearer mixer"
    assert headers[hop.AUTHORIZATION] == "Bearer user"
    assert headers.getall(hop.SOURCE) == ["203.0.113.5"]
    assert headers["If-Match"] == "*"
    assert not {"Cookie", "X-Forwarded-For"} & set(headers)


def _request(headers: CIMultiDict[str]) -> web.Request:
    return make_mocked_request("GET", "/rooms/west", headers=headers)


def _new_pod(folder: Path) -> tuple[Desk, Numbers, forwarding.Forwarder]:
    desk, numbers = Desk(Store(folder)), Numbers()
    unused: Any = None
    return desk, numbers, forwarding.Forwarder(desk, "a", unused, lambda: "", numbers)


WEST: Final = {
    "term": 1,
    "from": 0,
    "to": 1,
    "set": {"west": {"pod": "b", "address": "127.0.0.1:1", "epoch": 1}},
    "gone": [],
}


class Late(Elsewhere):
    """Rooms of which the operator speaks when somebody asks."""

    def __init__(self, *rooms: str) -> None:
        super().__init__()
        self.late = rooms

    async def first_word(self) -> None:
        """Now."""
        self.rooms = self.late


def test_a_pod_that_has_just_begun_waits_before_it_says_where_a_room_is(tmp_path: Path) -> None:
    async def main() -> None:
        elsewhere = Late("attic")

        def app(context: HttpContext) -> web.Application:
            return people_app(dataclasses.replace(context, elsewhere=elsewhere))

        async with door.opened(tmp_path, app) as opened:
            token = opened.token("admin")
            answer = await opened.ask("GET", "/rooms/attic", token=token)
            assert await answer.text() == "from the owner"
            assert (await opened.ask("GET", "/rooms/cellar", token=token)).status == 404

    looptime.run(main())


def test_the_operators_first_word_is_waited_for(tmp_path: Path) -> None:
    desk, _, forwarder = _new_pod(tmp_path)

    async def main() -> None:
        asked = asyncio.create_task(forwarder.first_word())
        await asyncio.sleep(0)
        assert not asked.done()
        await desk.direct(WEST)
        await asked
        assert forwarder.knows("west")
        assert not forwarder.knows("cellar")

    asyncio.run(main())  # in real time, as the desk's disk is


def test_an_operator_that_does_not_speak_is_not_waited_for_for_long(tmp_path: Path) -> None:
    _, _, forwarder = _new_pod(tmp_path)

    async def main() -> float:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await forwarder.first_word()
        assert forwarder.knows("west"), "it may be anywhere"
        with pytest.raises(ApiError, match="changing pods"):
            await forwarder.forward(_request(CIMultiDict()), "west")
        return loop.time() - began_s

    assert looptime.run(main()) == forwarding.FIRST_WORD_S


def test_no_more_wait_or_are_passed_on_than_may_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, numbers, forwarder = _new_pod(tmp_path)
    monkeypatch.setattr(forwarding, "MAX_REQUESTS", 0)

    async def main() -> None:
        with pytest.raises(ApiError) as caught:
            await forwarder.first_word()
        assert (caught.value.status, caught.value.code) == (503, "busy")
        await desk.direct(WEST)
        await forwarder.first_word()
        with pytest.raises(ApiError) as caught:
            await forwarder.forward(_request(CIMultiDict()), "west")
        assert (caught.value.status, caught.value.code) == (503, "busy")

    asyncio.run(main())
    assert numbers.values("voiceroom_forwarded_requests_total")[("busy",)] == 2
