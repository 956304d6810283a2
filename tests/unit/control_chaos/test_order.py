"""Which orders are taken, and how the others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.chaos.order import read
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.chaos import Injection

STEP = {"kind": "step", "for": "60s", "offsetMs": 50}
FREEZE = {"kind": "freeze", "for": "5s", "freezeMs": 200}


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        (STEP, {"offset_ns": 50 * NS_PER_MS}),
        (STEP | {"clock": "all", "offsetMs": -1000}, {"clock": "all", "offset_ns": -NS_PER_S}),
        (STEP | {"kind": "saw"}, {"offset_ns": 50 * NS_PER_MS, "period_ns": NS_PER_S}),
        ({"kind": "rate", "for": "1m", "ppm": -500, "clock": "raw"}, {"ppm": -500, "clock": "raw"}),
        (
            {"kind": "freeze", "for": "60s", "freezeMs": 200, "periodMs": 500},
            {"stop_ns": 200 * NS_PER_MS, "period_ns": 500 * NS_PER_MS},
        ),
    ],
)
def test_an_order_becomes_a_fault_from_now_on(body: dict[str, Any], parts: dict[str, Any]) -> None:
    made = read(body).begin("i1", "ana", 7)
    assert made == Injection("i1", body["kind"], 7, 7 + 60 * NS_PER_S, by="ana", **parts)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "kind", "must be one of step, saw, rate, freeze"),
        (STEP | {"kind": "netem"}, "kind", "must be one of step, saw, rate, freeze"),
        (STEP | {"kind": ["step"]}, "kind", "must be one of"),
        ({"kind": "step", "offsetMs": 50}, "for", "must be a duration from 1s to 10m"),
        (STEP | {"for": "11m"}, "for", "from 1s to 10m"),
        (STEP | {"for": 60}, "for", "from 1s to 10m"),
        (STEP | {"for": "soon"}, "for", "from 1s to 10m"),
        (STEP | {"offsetMs": 0}, "offsetMs", "must not be 0"),
        (STEP | {"offsetMs": 1001}, "offsetMs", "whole number from -1000 to 1000"),
        (STEP | {"offsetMs": True}, "offsetMs", "whole number"),
        (STEP | {"clock": "wall"}, "clock", "must be one of monotonic, raw, boottime, all"),
        (STEP | {"ppm": 5}, "ppm", "step takes kind, for, clock, offsetMs"),
        (FREEZE | {"clock": "raw"}, "clock", "freeze takes kind, for, freezeMs, periodMs"),
        (FREEZE | {"freezeMs": 9}, "freezeMs", "from 10 to 2000"),
        (FREEZE | {"freezeMs": 751}, "freezeMs", "at most three quarters of periodMs, 750"),
        (FREEZE | {"periodMs": 5000}, "periodMs", "shorter than for"),
        (FREEZE | {"periodMs": 50}, "periodMs", "from 100 to 60000"),
        ({"kind": "rate", "for": "5s"}, "ppm", "whole number from -5000 to 5000"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(
    body: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(ApiError) as refused:
        read(body)
    assert (refused.value.status, refused.value.field) == (422, field)
    assert words in refused.value.message
