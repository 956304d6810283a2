"""``/admin/v1/chaos``: the switch, the token, and what is wrong with an order."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.client import ClientResponse

from fakes import looptime
from fakes.door import Door, opened, segment
from voiceroom_mixer.control.chaos.desk import ChaosDesk
from voiceroom_mixer.control.http.apps import people_app
from voiceroom_mixer.control.http.context import HttpContext

PATH = "/admin/v1/chaos"
STEP = {"kind": "step", "for": "60s", "offsetMs": 50}


def switched_on(context: HttpContext) -> web.Application:
    """The door of a mixer with ``--chaos``."""
    desk = ChaosDesk(
        [segment()],
        context.numbers,
        publish=context.bus.publish,
        rooms=lambda: ["lobby"],
        true_ns=context.now_ns,
        wall_ns=context.wall_ns,
    )
    return people_app(dataclasses.replace(context, chaos=desk))


async def ask(door: Door, method: str, body: Any = None, role: Any = "admin") -> ClientResponse:
    token = door.token(role) if role else None
    data, kind = (json.dumps(body), "application/json") if body is not None else (None, None)
    return await door.ask(method, PATH, token=token, data=data, content_type=kind)


def test_an_admin_begins_it_sees_it_and_ends_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path, switched_on) as door:
            begun = await ask(door, "POST", STEP)
            assert (begun.status, (await begun.json())["active"]["by"]) == (201, "ann")
            again = await ask(door, "POST", STEP)
            assert (again.status, (await again.json())["error"]) == (409, "chaos_runs")
            door.advance(10)
            assert (await (await ask(door, "GET")).json())["active"]["leftMs"] == 50_000
            ended = await ask(door, "DELETE")
            assert (ended.status, (await ended.json())["active"]) == (200, None)
            assert (await (await ask(door, "GET")).json())["active"] is None

    looptime.run(main())


def test_what_is_wrong_is_named_by_its_field(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path, switched_on) as door:
            refused = await ask(door, "POST", STEP | {"offsetMs": 5000})
            said = await refused.json()
            assert (refused.status, said["field"]) == (422, "offsetMs")
            assert "from -1000 to 1000" in said["message"]
            assert (await (await ask(door, "GET")).json())["active"] is None

    looptime.run(main())


def test_nobody_but_an_admin(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path, switched_on) as door:
            for method in ("GET", "POST", "DELETE"):
                assert (await ask(door, method, STEP, None)).status == 401
                assert (await ask(door, method, STEP, "moderator")).status == 403
            assert (await (await ask(door, "GET")).json())["active"] is None

    looptime.run(main())


def test_with_the_switch_off_it_says_how_to_switch_it_on(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as door:
            for method in ("GET", "POST", "DELETE"):
                refused = await ask(door, method, STEP)
                said = await refused.json()
                assert (refused.status, said["error"]) == (404, "chaos_off")
                assert "chaos.enabled" in said["message"]

    looptime.run(main())
