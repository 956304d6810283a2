"""WHIP and WHEP over a real socket (contract §4, RFC 9725)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fakes.door import Door, with_door
from voiceroom_mixer.config import IceServer
from voiceroom_mixer.control.http.signalling import ice_link
from voiceroom_mixer.control.service import ApiError

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"


@pytest.mark.parametrize("mode", ["whip", "whep"])
def test_an_offer_is_answered_with_a_leg(tmp_path: Path, mode: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(
            "POST",
            f"/rooms/lobby/{mode}?replaces=leg-0&name=%20Zo%C3%AB%20",
            token=door.token(),
            data="v=0",
            content_type="application/sdp; charset=utf-8",
        )
        assert answer.status == 201
        assert answer.content_type == SDP
        assert await answer.text() == "answer to v=0"
        assert answer.headers["Location"] == f"/rooms/lobby/{mode}/leg-1"
        assert answer.headers["ETag"] == '"tag-1"'
        assert answer.headers.getall("Link") == [
            '<stun:stun.example:3478>; rel="ice-server"',
            '<turn:t.example>; rel="ice-server"; username="u"; credential="p\\"w"; '
            'credential-type="password"',
        ]
        _, (room, claims, offer, asked_mode, replaces, name) = door.service.asked[0]
        assert (room, claims.sub, offer, asked_mode, replaces, name) == (
            "lobby", "ann", "v=0", mode, "leg-0", "Zoë",
        )  # fmt: skip

    with_door(tmp_path, scenario)


@pytest.mark.parametrize("name", ["x" * 65, "a%00b", "a%0Ab"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(
            "POST",
            f"/rooms/lobby/whip?name={name}",
            token=door.token(),
            data="v=0",
            content_type=SDP,
        )
        assert answer.status == 422
        assert (await answer.json())["field"] == "name"
        assert door.service.asked == []

    with_door(tmp_path, scenario)


def test_every_answer_on_the_resource_may_be_read_by_other_sites(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        for path in ("/rooms/lobby/whip", "/rooms/lobby/whep/leg-1"):
            for method in ("OPTIONS", "POST", "GET"):
                answer = await door.ask(method, path)
                assert answer.headers["Access-Control-Allow-Origin"] == "*", (method, path)
                exposed = answer.headers["Access-Control-Expose-Headers"]
                assert {"Location", "ETag", "Link"} <= {e.strip() for e in exposed.split(",")}
        elsewhere = await door.ask("GET", "/rooms/lobby", token=door.token())
        assert "Access-Control-Allow-Origin" not in elsewhere.headers

    with_door(tmp_path, scenario)


def test_preflight_tells_what_may_be_sent(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        endpoint = await door.ask("OPTIONS", "/rooms/lobby/whip")
        assert endpoint.status == 200
        assert endpoint.headers["Accept-Post"] == SDP
        assert len(endpoint.headers.getall("Link")) == 2
        assert "POST" in endpoint.headers["Access-Control-Allow-Methods"]
        assert "If-Match" in endpoint.headers["Access-Control-Allow-Headers"]
        leg = await door.ask("OPTIONS", "/rooms/lobby/whip/leg-1")
        assert leg.headers["Accept-Patch"] == FRAGMENT

    with_door(tmp_path, scenario)


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "PATCH", "DELETE"])
def test_other_methods_are_405(tmp_path: Path, method: str) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(method, "/rooms/lobby/whip", token=door.token())
        assert answer.status == 405
        assert answer.headers["Allow"] == "OPTIONS,POST"
        if method != "HEAD":
            assert (await answer.json())["error"] == "method_not_allowed"

    with_door(tmp_path, scenario)


@pytest.mark.parametrize("sent", ["application/json", "text/plain", None])
def test_another_content_type_is_415_and_says_which(tmp_path: Path, sent: str | None) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(
            "POST", "/rooms/lobby/whip", token=door.token(), data=b"v=0", content_type=sent
        )
        assert answer.status == 415
        assert answer.headers["Accept-Post"] == SDP

    with_door(tmp_path, scenario)


def test_a_body_of_64_kib_passes_and_one_byte_more_is_413(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        full = "a" * 64 * 1024
        for body, status in ((full, 201), (full + "b", 413)):
            answer = await door.ask(
                "POST", "/rooms/lobby/whip", token=door.token(), data=body, content_type=SDP
            )
            assert answer.status == status
            assert (answer.headers.get("Connection") == "close") == (status == 413)

    with_door(tmp_path, scenario)


def test_a_slow_body_is_408_after_10_s(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        never = asyncio.Event()

        async def trickle() -> AsyncIterator[bytes]:
            yield b"v=0"
            await never.wait()

        headers = {"Authorization": f"Bearer {door.token()}", "Content-Type": SDP}
        began = asyncio.get_running_loop().time()
        answer = await door.client.post("/rooms/lobby/whip", data=trickle(), headers=headers)
        assert answer.status == 408
        assert round(asyncio.get_running_loop().time() - began) == 10
        never.set()

    with_door(tmp_path, scenario)


def test_a_compressed_body_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(
            "POST",
            "/rooms/lobby/whip",
            token=door.token(),
            data=b"\x1f\x8b",
            content_type=SDP,
            Content_Encoding="gzip",
        )
        assert answer.status == 415

    with_door(tmp_path, scenario)


def test_text_that_is_no_utf8_is_400(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        answer = await door.ask(
            "POST", "/rooms/lobby/whip", token=door.token(), data=b"\xff", content_type=SDP
        )
        assert (answer.status, (await answer.json())["error"]) == (400, "invalid_sdp")

    with_door(tmp_path, scenario)


def test_a_refused_join_carries_its_reason_and_retry_after(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.service.refuse = ApiError(503, "pod_full", "full", headers={"Retry-After": "5"})
        answer = await door.ask(
            "POST", "/rooms/lobby/whip", token=door.token(), data="v=0", content_type=SDP
        )
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert await answer.json() == {"error": "pod_full", "message": "full"}
        joins = door.context.numbers.values("voiceroom_joins_total")
        assert joins[("pod_full",)] == 1

    with_door(tmp_path, scenario)


@pytest.mark.parametrize(
    ("if_match", "status"), [(None, 428), ('"old"', 412), ('"tag-1"', 204), ("*", 200)]
)
def test_patch_of_a_location(tmp_path: Path, if_match: str | None, status: int) -> None:
    async def scenario(door: Door) -> None:
        door.service.add("lobby", "leg-1", jti="t1")
        headers = {} if if_match is None else {"If_Match": if_match}
        answer = await door.ask(
            "PATCH",
            "/rooms/lobby/whip/leg-1",
            token=door.token(),
            data="a=x",
            content_type=FRAGMENT,
            **headers,
        )
        assert answer.status == status
        if status == 200:
            assert answer.headers["ETag"] == '"tag-2"'
            assert answer.content_type == FRAGMENT
            assert "a=ice-ufrag" in await answer.text()

    with_door(tmp_path, scenario)


def test_a_location_is_left_with_its_join_token_after_exp_too(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.service.add("lobby", "leg-1", jti="t1")
        token = door.token(ttl_s=60)
        door.advance(3600)
        join = await door.ask(
            "POST", "/rooms/lobby/whip", token=token, data="v=0", content_type=SDP
        )
        assert (join.status, (await join.json())["error"]) == (401, "expired_token")
        assert (await door.ask("DELETE", "/rooms/lobby/whip/leg-1", token=token)).status == 200
        gone = await door.ask("DELETE", "/rooms/lobby/whip/leg-1", token=token)
        assert gone.status == 401

    with_door(tmp_path, scenario)


def test_somebody_elses_location_is_403_and_an_unknown_one_404(tmp_path: Path) -> None:
    async def scenario(door: Door) -> None:
        door.service.add("lobby", "leg-1", jti="other")
        expected = {"/rooms/lobby/whip/leg-1": 403, "/rooms/lobby/whip/leg-9": 404}
        for path, status in expected.items():
            assert (await door.ask("DELETE", path, token=door.token())).status == status
        assert door.service.leg_count() == 1

    with_door(tmp_path, scenario)


def test_an_ice_server_cannot_smuggle_a_header_in() -> None:
    link = ice_link(IceServer("turn:a>b\r\nX: y", "u\n", "\\"))
    assert link == (
        '<turn:a%3EbX: y>; rel="ice-server"; username="u"; credential="\\\\"; '
        'credential-type="password"'
    )
