"""Tokens, limits, sources: who gets in, and who waits (contract §3, §4)."""

from __future__ import annotations

import io
import logging
from pathlib import Path

import pytest

from fakes.door import Door, with_door
from voiceroom_mixer.control import logs
from voiceroom_mixer.control.auth.keys import Key, KeySet
from voiceroom_mixer.control.auth.tokens import sign


async def status_of(door: Door, token: str | None, path: str = "/rooms/lobby") -> int:
    return (await door.ask("GET", path, token=token)).status


def test_without_a_token_it_is_401_with_a_challenge(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask("GET", "/rooms/lobby")
        assert (answer.status, (await answer.json())["error"]) == (401, "token_required")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    with_door(tmp_path, scenario)


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer x.y.z", "Bearer \u00e9"])
def test_a_bad_authorization_is_401_and_counted(tmp_path: Path, header: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask("GET", "/rooms/lobby", Authorization=header)
        assert (answer.status, (await answer.json())["error"]) == (401, "invalid_token")
        failures = door.context.numbers.values("voiceroom_auth_failures_total")
        assert failures[("invalid_token",)] == 1

    with_door(tmp_path, scenario)


def test_a_get_takes_its_token_from_the_query_and_nothing_else_does(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        token = door.token("moderator")
        assert (await door.ask("GET", f"/rooms/lobby?token={token}")).status == 200
        changed = await door.ask(
            "PATCH", f"/rooms/lobby?token={token}", data="{}", content_type="application/json"
        )
        assert changed.status == 401

    with_door(tmp_path, scenario)


def test_a_foreign_key_and_another_room_are_refused(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        foreign = sign(
            KeySet((Key("j1", b"x" * 32, "join"),)),
            sub="eve",
            room="lobby",
            role="speaker",
            now_s=door.context.wall_ns() / 1e9,
            ttl_s=60,
        )
        assert await status_of(door, foreign) == 401
        assert await status_of(door, door.token(room="hall")) == 403

    with_door(tmp_path, scenario)


def test_tokenless_requests_are_20_at_once_and_then_one_every_50_ms(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert [await status_of(door, None) for _ in range(20)] == [401] * 20
        refused = await door.ask("GET", "/rooms/lobby")
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")
        door.advance(0.06)
        assert [await status_of(door, None) for _ in range(2)] == [401, 429]
        assert door.context.limits.limited["anonymous"] == 2

    with_door(tmp_path, scenario)


def test_failing_requests_use_up_the_same_limit_but_good_tokens_still_pass(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        assert [await status_of(door, "x.y.z") for _ in range(20)] == [401] * 20
        assert await status_of(door, "x.y.z") == 429
        assert await status_of(door, door.token(room="hall")) == 429
        assert (await door.ask("GET", "/nothing")).status == 429
        assert await status_of(door, door.token()) == 200

    with_door(tmp_path, scenario)


def test_a_token_has_100_requests_a_second_and_a_moderators_1000(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        speaker, moderator = door.token(), door.token("moderator", jti="m")
        assert {await status_of(door, speaker) for _ in range(100)} == {200}
        assert await status_of(door, speaker) == 429
        assert await status_of(door, door.token(jti="t2")) == 200
        assert {await status_of(door, moderator) for _ in range(150)} == {200}

    with_door(tmp_path, scenario)


def test_probes_are_never_limited(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for path in ("/healthz", "/readyz", "/metrics", "/clockz"):
            assert {await status_of(door, None, path) for _ in range(30)} == {200}

    with_door(tmp_path, scenario)


async def anonymous(door: Door, forwarded: str) -> int:
    return (await door.ask("GET", "/rooms/lobby", X_Forwarded_For=forwarded)).status


def test_forwarded_addresses_count_from_trusted_proxies(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for _ in range(20):
            await anonymous(door, "203.0.113.1")
        assert await anonymous(door, "203.0.113.1") == 429
        assert await anonymous(door, "203.0.113.2") == 401
        assert await anonymous(door, "198.51.100.7, 203.0.113.1") == 429

    with_door(tmp_path, scenario, trusted_proxies=("127.0.0.0/8",))


def test_forwarded_addresses_of_anybody_else_do_not(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for number in range(20):
            await anonymous(door, f"203.0.113.{number}")
        assert await anonymous(door, "203.0.113.99") == 429

    with_door(tmp_path, scenario)


def test_no_token_stands_in_any_log_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    logs.configure("text", lambda: 0, stream)

    async def scenario(door: Door) -> None:
        token = door.token("moderator")
        await door.ask("GET", f"/rooms/lobby?token={token}")
        await door.ask("GET", f"/rooms/lobby/events?token={token[:-3]}")
        door.service.refuse = RuntimeError(f"boom with {token} inside")
        failed = await door.ask(
            "POST", "/rooms/lobby/whip", token=token, data="v", content_type="application/sdp"
        )
        answer = await failed.json()
        assert failed.status == 500
        assert "boom" not in str(answer)
        log_id = answer["message"].split()[-1]
        written = stream.getvalue()
        assert log_id in written
        assert "RuntimeError: boom" in written
        assert "path=/rooms/lobby " in written
        for part in token.split("."):
            assert part not in written

    with_door(tmp_path, scenario)
