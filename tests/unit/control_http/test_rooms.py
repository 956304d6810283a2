"""The page, rooms, legs and PIN over a real socket (contract §4)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fakes import looptime
from fakes.door import PIN, Door, opened, with_door
from voiceroom_mixer.control.auth.tokens import Tokens

JSON = "application/json"


async def send(
    door: Door, method: str, path: str, value: Any, token: str | None = None
) -> tuple[int, dict[str, Any]]:
    """(status, JSON answer) of a JSON request."""
    answer = await door.ask(method, path, token=token, data=json.dumps(value), content_type=JSON)
    return answer.status, await answer.json() if answer.content_type == JSON else {}


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        ("application/json, application/sdp;q=0.9, */*;q=0.5", JSON),
        ("*/*", JSON),
        ("text/html;q=0.2, application/json", JSON),
        ("text/html;q=0", JSON),
        ("text/html;q=nonsense", JSON),
    ],
)
def test_page_or_json_by_accept(tmp_path: Path, accept: str, content_type: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask("GET", "/rooms/lobby", token=door.token(), Accept=accept)
        assert answer.status == 200
        assert answer.content_type == content_type

    with_door(tmp_path, scenario)


def test_the_page_is_there_without_a_token_and_strict(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        page = await door.ask("GET", "/rooms/lobby", Accept="text/html")
        assert page.status == 200
        policy = page.headers["Content-Security-Policy"].split("; ")
        assert policy == [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "media-src blob: 'self'",
            "img-src 'self' data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Permissions-Policy"] == "microphone=(self)"
        missing = await door.ask("GET", "/rooms/nowhere", Accept="text/html")
        assert (missing.status, missing.content_type) == (404, "text/html")

    with_door(tmp_path, scenario)


def test_the_page_keeps_its_policy_when_it_is_revalidated(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        page = await door.ask("GET", "/rooms/lobby", Accept="text/html")
        known = {"Accept": "text/html", "If_None_Match": page.headers["ETag"]}
        again = await door.ask("GET", "/rooms/lobby", **known)
        assert again.status == 304
        policy = "Content-Security-Policy"
        assert again.headers[policy] == page.headers[policy]

    with_door(tmp_path, scenario)


def test_assets_have_types_and_are_revalidated(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        script = await door.ask("GET", "/assets/app.js")
        assert (script.status, script.content_type) == (200, "text/javascript")
        again = await door.ask("GET", "/assets/app.js", If_None_Match=script.headers["ETag"])
        assert (again.status, await again.read()) == (304, b"")
        assert (await door.ask("GET", "/assets/icon.svg")).content_type == "image/svg+xml"
        for name in ("nothing.js", "..%2f..%2fconfig.py", "%2e%2e/x"):
            assert (await door.ask("GET", f"/assets/{name}")).status == 404

    with_door(tmp_path, scenario)


def test_a_page_asks_for_all_of_its_files_without_being_limited(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        statuses = {(await door.ask("GET", "/assets/app.js")).status for _ in range(100)}
        assert statuses == {200}

    with_door(tmp_path, scenario)


def test_the_rooms_are_listed_for_the_admin_alone(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        listed = await door.ask("GET", "/rooms", token=door.token("admin"))
        assert {room["name"] for room in (await listed.json())["rooms"]} == {"lobby", "hall"}
        assert (await door.ask("GET", "/rooms", token=door.token("moderator"))).status == 403

    with_door(tmp_path, scenario)


def test_a_moderator_changes_the_own_room_only(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        moderator, change = door.token("moderator"), {"locked": True}
        assert await send(door, "PATCH", "/rooms/lobby", change, moderator) == (
            200,
            {"name": "lobby", "locked": True},
        )
        assert (await send(door, "PATCH", "/rooms/hall", change, moderator))[0] == 403
        assert (await send(door, "PATCH", "/rooms/hall", change, door.token("admin")))[0] == 200
        assert (await send(door, "PATCH", "/rooms/lobby", change, door.token()))[0] == 403

    with_door(tmp_path, scenario)


def test_plain_rtp_legs(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        moderator, wanted = door.token("moderator"), {"kind": "rtp", "ip": "127.0.0.1", "port": 9}
        status, leg = await send(door, "POST", "/rooms/lobby/legs", wanted, moderator)
        assert status == 201
        assert set(leg) == {"id", "ip", "port", "payloadType", "ssrc"}
        taken = wanted | {"port": 409}
        assert (await send(door, "POST", "/rooms/lobby/legs", taken, moderator))[0] == 409
        assert (await send(door, "POST", "/rooms/lobby/legs", wanted, door.token()))[0] == 403

    with_door(tmp_path, scenario)


def test_people_change_their_own_leg_and_moderators_any(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.service.add("lobby", "leg-1", jti="t1")
        change, path = {"muted": True}, "/rooms/lobby/legs/leg-1"
        status, leg = await send(door, "PATCH", path, change, door.token("listener"))
        assert (status, leg["muted"]) == (200, True)
        other = door.token(jti="t2")
        assert (await send(door, "PATCH", path, change, other))[0] == 403
        moderator = door.token("moderator", jti="t3")
        assert (await send(door, "PATCH", path, change, moderator))[0] == 200
        bad = await send(door, "PATCH", path, {"gainDb": 99}, moderator)
        assert bad == (
            422,
            {"error": "invalid_field", "message": "gainDb must be -60..20", "field": "gainDb"},
        )

    with_door(tmp_path, scenario)


def test_who_is_in_may_mute_and_look_after_the_tokens_time(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.service.add("lobby", "leg-1", jti="t1")
        mine, other = door.token(ttl_s=60), door.token(ttl_s=60, jti="t2")
        door.advance(7200)
        path = "/rooms/lobby/legs/leg-1"
        assert (await send(door, "PATCH", path, {"muted": True}, mine))[0] == 200
        assert (await door.ask("GET", "/rooms/lobby", token=mine)).status == 200
        assert (await door.ask("GET", "/rooms/lobby", token=other)).status == 401

    with_door(tmp_path, scenario)


def test_a_kicked_token_is_refused(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.service.add("lobby", "leg-1", jti="t1")
        moderator = door.token("moderator", jti="t3")
        path = "/rooms/lobby/legs/leg-1"
        assert (await door.ask("DELETE", path, token=moderator)).status == 204
        refused = await door.ask("GET", "/rooms/lobby", token=door.token())
        assert (refused.status, (await refused.json())["error"]) == (403, "kicked")

    with_door(tmp_path, scenario)


def test_kick_all(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for number in range(3):
            door.service.add("lobby", f"leg-{number}")
        assert (await door.ask("DELETE", "/rooms/lobby/legs", token=door.token())).status == 403
        answer = await door.ask("DELETE", "/rooms/lobby/legs", token=door.token("moderator"))
        assert await answer.json() == {"removed": 3}

    with_door(tmp_path, scenario)


def test_a_pin_gives_a_speakers_token_for_that_room(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        status, answer = await send(door, "POST", "/rooms/hall/token", {"pin": PIN, "name": "Zoë"})
        assert (status, answer["expiresIn"]) == (200, 90)
        tokens: Tokens = door.context.tokens
        claims = tokens.verify(answer["token"], door.context.wall_ns() / 1e9)
        assert (claims.sub, claims.room, claims.role) == ("Zoë", "hall", "speaker")

    with_door(tmp_path, scenario)


@pytest.mark.parametrize(
    ("room", "wanted", "status", "field"),
    [
        ("hall", {"pin": "0000", "name": "x"}, 403, "pin"),
        ("lobby", {"pin": PIN, "name": "x"}, 404, None),
        ("nowhere", {"pin": PIN, "name": "x"}, 404, None),
        ("hall", {"pin": PIN}, 422, "name"),
        ("hall", {"pin": PIN, "name": "a\nb"}, 422, "name"),
        ("hall", {"pin": 4711, "name": "x"}, 422, "pin"),
        ("hall", {"pin": PIN, "name": "x" * 129}, 422, "name"),
    ],
)
def test_a_pin_that_does_not_open(
    tmp_path: Path, room: str, wanted: dict[str, Any], status: int, field: str | None
) -> None:
    async def scenario(door: Door) -> None:
        got, answer = await send(door, "POST", f"/rooms/{room}/token", wanted)
        assert (got, answer.get("field")) == (status, field)

    with_door(tmp_path, scenario)


def test_a_source_has_five_tries_of_a_pin_a_minute(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        wrong = {"pin": "0000", "name": "x"}
        tries = [(await send(door, "POST", "/rooms/hall/token", wrong))[0] for _ in range(6)]
        assert tries == [403] * 5 + [429]
        right = {"pin": PIN, "name": "x"}
        assert (await send(door, "POST", "/rooms/hall/token", right))[0] == 429
        door.advance(13)
        assert (await send(door, "POST", "/rooms/hall/token", right))[0] == 200

    with_door(tmp_path, scenario)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"nul", 400),
        (b'{"a": NaN}', 400),
        (b"\xff\xfe", 400),
        (b"[" * 16_000, 400),
        (b'{"a": ' + b"1" * 9000 + b"}", 400),
        (b'{"a": "' + b"x" * 16_384 + b'"}', 413),
    ],
)
def test_a_body_that_is_no_json_object(tmp_path: Path, body: bytes, status: int) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(
            "PATCH", "/rooms/lobby", token=door.token("moderator"), data=body, content_type=JSON
        )
        assert answer.status == status
        assert set(await answer.json()) == {"error", "message"}

    with_door(tmp_path, scenario)


def test_what_is_not_there_is_json_too(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for path in ("/", "/nothing", "/rooms/lobby/x/y/z", "/rooms/UPPER"):
            answer = await door.ask("GET", path, token=door.token("admin"))
            assert answer.status == 404, path
            assert "message" in await answer.json()
        unknown = await door.ask("GET", "/rooms/nowhere", token=door.token("admin"))
        assert (await unknown.json())["error"] == "no_room"

    with_door(tmp_path, scenario)


def test_a_mixer_without_its_page_says_so(tmp_path: Path) -> None:
    async def main() -> None:
        async with opened(tmp_path) as door:
            (empty := tmp_path / "empty").mkdir()
            assert type(door.context.assets)(empty).find("index.html") is None

    looptime.run(main())
