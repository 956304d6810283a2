"""The root-cause flow."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from voiceroom_api import names
from voiceroom_api.diagnosis import REMEDIES, Signs, diagnose, evidence_words, signs_of

LATE = Signs(drift_ms=12.0)
NOTHING = Signs(
    drift_ms=12.0,
    throttled_share=0.0,
    steal_share=0.0,
    cpu_share=0.3,
    ntp_offset_ms=0.1,
    clocksource="tsc",
    gc_ms=0.5,
    other_threads_ms=0.0,
    work_share=0.2,
)


def test_every_verdict_has_a_remedy() -> None:
    assert set(REMEDIES) == {*names.VERDICTS, ""}


@pytest.mark.parametrize("drift_ms", [None, 0.0, 5.0])
def test_the_flow_begins_at_five_milliseconds(drift_ms: float | None) -> None:
    found = diagnose(replace(NOTHING, drift_ms=drift_ms, steal_share=0.5))
    assert (found.bad, found.cause, len(found.steps)) == (False, "", 1)


@pytest.mark.parametrize(
    ("sign", "cause"),
    [
        ({"throttled_share": 0.2}, names.THROTTLE),
        ({"steal_share": 0.03}, names.STARVED),
        ({"cpu_share": 0.95}, names.STARVED),
        ({"ntp_offset_ms": 80.0}, names.RATE),
        ({"clocksource": "hpet"}, names.RATE),
        ({"gc_ms": 36.0}, names.GC),
        ({"other_threads_ms": 21.0}, names.GIL),
        ({"work_share": 1.3}, names.OVERLOAD),
        ({}, ""),
    ],
)
def test_each_branch(sign: dict[str, Any], cause: str) -> None:
    found = diagnose(replace(NOTHING, **sign))
    assert (found.bad, found.cause, found.remedy) == (True, cause, REMEDIES[cause])
    assert bool(found.evidence) == bool(sign)


def test_the_branches_that_clouds_need_come_first() -> None:
    found = diagnose(replace(NOTHING, throttled_share=0.2, steal_share=0.2, gc_ms=50.0))
    assert found.cause == names.THROTTLE
    assert [step.answer for step in found.steps][:3] == [True, True, True]


def test_the_pods_own_verdict_counts_most() -> None:
    signs = replace(NOTHING, steal_share=0.2, verdict="gc", evidence=("gc 36.0 ms",))
    found = diagnose(signs)
    assert (found.cause, found.evidence) == ("gc", ("gc 36.0 ms",))


def test_a_verdict_needs_no_drift() -> None:
    """A wrong rate makes no tick late."""
    assert diagnose(Signs(drift_ms=0.2, verdict="rate")).cause == "rate"


def test_what_is_not_known_is_neither_yes_nor_no() -> None:
    found = diagnose(LATE)
    assert found.cause == ""
    assert {step.answer for step in found.steps[1:]} == {None}


REPORT: dict[str, Any] = {
    "timing": {
        "p99Ms": 0.4,
        "windows": [{"latenessP99Ms": 3.0}, {"latenessP99Ms": 41.5}],
        "verdict": "starved",
        "evidence": [
            {"name": "run-queue delay", "value": 45.23, "unit": "ms"},
            {"name": "steal", "value": 0.31, "unit": "share"},
            {"name": "ticks", "value": 5, "unit": "count"},
        ],
    },
    "realtime": {"periods": 200, "throttledPeriods": 30},
    "headroom": 0.25,
    "clocksource": "tsc",
}


def test_a_report_is_read_into_signs() -> None:
    signs = signs_of(REPORT)
    assert signs.drift_ms == 41.5
    assert (signs.verdict, signs.clocksource) == ("starved", "tsc")
    assert signs.evidence == ("run-queue delay 45.2 ms", "steal 31%", "ticks 5")
    assert (signs.throttled_share, signs.steal_share, signs.work_share) == (0.15, 0.31, 0.75)


@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [7], float("nan"), True])
def test_nonsense_counts_as_not_known(value: Any) -> None:
    keys = ("timing", "realtime", "headroom", "clocksource")
    spoilt = signs_of(dict.fromkeys(keys, value))
    assert spoilt.verdict == ""
    assert spoilt.drift_ms is None
    assert signs_of({"timing": dict.fromkeys(("windows", "verdict", "evidence"), value)}) == Signs()
    assert evidence_words([{"name": value}, {"name": "a", "value": value}]) != ("",)
