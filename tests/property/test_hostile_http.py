"""Whatever a client sends as JSON, text, path or header, the answer is a word and never a crash."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.door import Door, with_door

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["pin", "name", "muted", "emergency", "x"]), inner)
    ),
    max_leaves=12,
)
BODIES = st.binary(max_size=200) | JSON_VALUES.map(lambda v: json.dumps(v).encode())
CALLS = st.sampled_from(
    [
        ("PATCH", "/rooms/lobby"),
        ("POST", "/rooms/hall/token"),
        ("POST", "/rooms/lobby/legs"),
        ("POST", "/debug/gc"),
        ("POST", "/rooms/lobby/whip"),
        ("PATCH", "/rooms/lobby/whip/leg-1"),
    ]
)
TYPES = st.sampled_from(
    ["application/json", "application/sdp", "application/trickle-ice-sdpfrag", "a/b"]
)


def at_a_door(scenario: Any) -> None:
    with TemporaryDirectory() as folder:
        with_door(Path(folder), scenario)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(CALLS, BODIES, TYPES), min_size=30, max_size=30))
def test_no_body_is_answered_with_a_500(calls: list[tuple[tuple[str, str], bytes, str]]) -> None:
    async def scenario(door: Door) -> None:
        admin = door.token("admin", room="lobby")
        for (method, path), body, content_type in calls:
            answer = await door.ask(method, path, token=admin, data=body, content_type=content_type)
            assert answer.status in {200, 201, 400, 403, 404, 408, 413, 415, 422, 428, 429}
            if answer.status >= 400:
                assert {"error", "message"} <= set(await answer.json())

    at_a_door(scenario)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/?#%\\."), max_size=30)
HEADERS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(NAMES, NAMES, HEADERS), min_size=30, max_size=30))
def test_no_path_and_no_header_is_answered_with_a_500(asked: list[tuple[str, str, str]]) -> None:
    async def scenario(door: Door) -> None:
        for room, leg, header in asked:
            for path in (f"/rooms/{room}", f"/rooms/{room}/legs/{leg}", f"/assets/{leg}"):
                answer = await door.ask(
                    "GET",
                    path,
                    Accept=header,
                    Authorization=header or "Bearer x",
                    X_Forwarded_For=header,
                    Last_Event_ID=header,
                )
                assert answer.status < 500

    at_a_door(scenario)
