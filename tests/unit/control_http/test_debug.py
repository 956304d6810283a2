"""Probes, metrics, debug (contract §2, §4)."""

from __future__ import annotations

from pathlib import Path

from fakes import looptime
from fakes.door import Door, opened, with_door
from voiceroom_mixer.config import Endpoint
from voiceroom_mixer.control.http.apps import admin_app, metrics_app

JSON = "application/json"


def test_readiness_names_its_reasons_and_liveness_stands_apart(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert (await door.ask("GET", "/readyz")).status == 200
        door.unready.append("draining")
        ready = await door.ask("GET", "/readyz")
        assert (ready.status, await ready.json()) == (
            503, {"ready": False, "reasons": ["draining"]},
        )  # fmt: skip
        assert (await door.ask("GET", "/healthz")).status == 200
        door.unready.append("dead")
        assert (await door.ask("GET", "/healthz")).status == 503

    with_door(tmp_path, scenario)


def test_debug_takes_the_admin_token(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for path in ("/debug/rooms/lobby", "/debug/tasks", "/debug/threads"):
            assert (await door.ask("GET", path)).status == 401
            assert (await door.ask("GET", path, token=door.token("moderator"))).status == 403
            assert (await door.ask("GET", path, token=door.token("admin"))).status == 200
        tasks = await (await door.ask("GET", "/debug/tasks", token=door.token("admin"))).json()
        assert tasks["count"] == len(tasks["tasks"]) > 0
        threads = await (await door.ask("GET", "/debug/threads", token=door.token("admin"))).json()
        assert any("MainThread" in name for name in threads["threads"])
        assert threads["media"] == [{"pid": 77, "stack": ["File loop.py, line 100 in run"]}]

    with_door(tmp_path, scenario)


def test_a_collection_must_be_called_an_emergency(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        admin = door.token("admin")
        for body, status in (("{}", 422), ('{"emergency": true}', 200)):
            answer = await door.ask("POST", "/debug/gc", token=admin, data=body, content_type=JSON)
            assert answer.status == status
        done = await answer.json()
        assert done["emergency"] is True
        assert done["mediaTold"] == 1

    with_door(tmp_path, scenario)


def test_with_listeners_of_their_own_debug_and_metrics_leave_the_peoples(tmp_path: Path) -> None:
    apart = {"admin": Endpoint("127.0.0.1", 8443), "metrics": Endpoint("127.0.0.1", 9464)}

    async def scenario(door: Door) -> None:
        for path in ("/debug/tasks", "/metrics", "/clockz"):
            assert (await door.ask("GET", path, token=door.token("admin"))).status == 404

    with_door(tmp_path, scenario, **apart)

    async def main() -> None:
        async with opened(tmp_path, metrics_app, **apart) as door:
            assert (await door.ask("GET", "/metrics")).status == 200
            assert (await door.ask("GET", "/rooms/lobby")).status == 404
        async with opened(tmp_path, admin_app, **apart) as door:
            admin = door.token("admin")
            assert (await door.ask("GET", "/debug/tasks", token=admin)).status == 200
            assert (await door.ask("GET", "/metrics")).status == 404

    looptime.run(main())


def test_requests_are_counted_by_route_and_never_by_path(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        await door.ask("GET", "/rooms/lobby", token=door.token())
        await door.ask("GET", "/rooms/hall", token=door.token())
        await door.ask("PROPFIND", "/coffee")
        counted = door.context.numbers.values("voiceroom_http_requests_total")
        assert dict(counted) == {
            ("/rooms/{room}", "GET", "200"): 1,
            ("/rooms/{room}", "GET", "403"): 1,
            ("unmatched", "other", "404"): 1,
        }

    with_door(tmp_path, scenario)
