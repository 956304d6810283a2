"""From seconds of ticks to what speaks against a pod."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from voiceroom_api import names
from voiceroom_api.thresholds import PROFILES
from voiceroom_operator.remediation.evidence import Evidence, weigh
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.remediation.windows import LEAST_KEPT, History, Window, noted

VM = PROFILES["vm"]
USUAL = Policy()


def window(number: int = 1, **fields: Any) -> Window:
    return Window(number, **({"ticks": 50, "p99_ms": 0.4} | fields))


def seconds(marks: str, verdict: str = "") -> History:
    """``.`` is good, ``x`` bad, ``~`` neither."""
    kinds: dict[str, dict[str, Any]] = {
        ".": {},
        "x": {"late": 40, "p99_ms": 60.0, "verdict": verdict},
        "~": {"p99_ms": 15.0},
    }
    return tuple(window(100 + at, **kinds[mark]) for at, mark in enumerate(marks))


@pytest.mark.parametrize(
    ("fields", "bad", "good"),
    [
        ({}, False, True),
        ({"p99_ms": 10.0}, False, True),
        ({"p99_ms": 10.1}, False, False),
        ({"p99_ms": 20.0}, False, False),
        ({"p99_ms": 20.1}, True, False),
        ({"p50_ms": 5.0}, False, True),
        ({"p50_ms": 5.1}, True, False),
        ({"late": 1}, False, False),
        ({"late": 2}, True, False),
        ({"skipped": 1}, False, False),
        ({"ticks": 46, "skipped": 4}, True, False),
        ({"ticks": 0}, True, False),
        ({"verdict": "gc"}, False, False),
        ({"verdict": "rate", "lasting": True}, True, False),
        ({"asks": True}, True, False),
    ],
)
def test_what_a_second_is(fields: dict[str, Any], bad: bool, good: bool) -> None:
    second = window(**fields)
    assert (second.is_bad(VM), second.is_good(VM)) == (bad, good)


def test_profiles_differ_in_what_is_late_and_no_second_is_both() -> None:
    for threshold in PROFILES.values():
        assert threshold.good_ms < threshold.bad_ms
        assert not window(p99_ms=threshold.bad_ms).is_bad(threshold)
    assert window(p99_ms=6.0).is_bad(PROFILES["bareMetalRt"])
    assert not window(p99_ms=6.0).is_bad(PROFILES["vm"])


@pytest.mark.parametrize(
    ("marks", "silent_s", "bad"),
    [
        ("..........", 0.0, 0),
        (".......xxx", 0.0, 3),
        (".....x.x.x", 0.0, 3),
        ("...xxx....", 0.0, 1),
        ("xxxxx.....", 0.0, 0),
        ("..........", 2.9, 2),
        ("..........", 3.0, 3),
        ("........x.", 2.0, 3),
        ("", 4.0, 4),
    ],
)
def test_bad_windows_are_counted_among_the_last_five(marks: str, silent_s: float, bad: int) -> None:
    assert weigh(seconds(marks), silent_s, USUAL).bad == bad


def test_longer_windows_are_bad_when_half_of_their_seconds_are() -> None:
    policy = replace(USUAL, window_s=4, bad_windows=2, of_windows=3)
    assert weigh(seconds("....xx..x..."), 0.0, policy).bad == 1
    assert weigh(seconds("xx..xxxx..xx"), 0.0, policy).bad == 3


def test_without_a_word_from_the_pod_nothing_is_had() -> None:
    assert weigh((), 0.9, USUAL) == Evidence()


@pytest.mark.parametrize(
    ("history", "silent_s", "cause"),
    [
        (seconds(".....xxx", "gc"), 0.0, "gc"),
        (seconds(".....xxx"), 0.0, names.LATE),
        (seconds("........"), 3.0, names.NO_ANSWER),
        (seconds(".......x"), 1.0, names.LATE),
        (seconds("......xx", "gil"), 3.0, "gil"),
        (seconds("........"), 0.0, ""),
    ],
)
def test_the_cause_is_the_pods_word_else_what_is_seen(
    history: History, silent_s: float, cause: str
) -> None:
    assert weigh(history, silent_s, USUAL).cause == cause


def test_the_cause_of_most_seconds_counts() -> None:
    mixed = (
        *seconds("...."),
        *(window(110 + n, verdict=v, late=9) for n, v in enumerate(["gc", "gil", "gc"])),
    )
    assert weigh(mixed, 0.0, USUAL).cause == "gc"


@pytest.mark.parametrize(
    ("marks", "silent_s", "steady", "good"),
    [
        ("..........", 0.0, True, True),
        (".........", 0.0, False, True),
        ("....x.....", 0.0, True, True),
        ("..x.x.....", 0.0, False, True),
        (".........x", 0.0, False, False),
        (".........~", 0.0, True, False),
        ("..........", 1.0, False, False),
    ],
)
def test_a_place_to_go_to_has_kept_time(
    marks: str, silent_s: float, steady: bool, good: bool
) -> None:
    found = weigh(seconds(marks), silent_s, USUAL)
    assert (found.steady, found.good) == (steady, good)


def test_bad_seconds_say_how_long_ago_they_were() -> None:
    assert weigh(seconds("x....x.x"), 1.0, USUAL).bad_ago_s == (0, 1, 3)


# What is remembered


def said(*numbers: int) -> list[Window]:
    return [window(number) for number in numbers]


def test_seconds_are_joined_and_the_newest_gets_what_the_pod_says_now() -> None:
    history = noted((), said(1, 2, 3), "gc", False)
    history = noted(history, said(2, 3, 4), "", False)
    assert [(w.number, w.verdict) for w in history] == [(1, ""), (2, ""), (3, "gc"), (4, "")]


def bad_seconds(verdict: str, seconds_: int) -> int:
    """Of a pod whose ticks are fine, and that says this for so long."""
    history = noted((), said(*range(1, 11)), "", False)
    for at in range(seconds_):
        history = noted(history, said(11 + at), verdict, False)
    return sum(second.is_bad(VM) for second in history)


@pytest.mark.parametrize(
    ("verdict", "lasted_s", "bad"),
    [
        ("rate", 1, 1),
        ("rate", 5, 5),
        ("step-one", 3, 0),
        ("step-all", 3, 0),
        ("step-all", 6, 3),
        ("loop-block", 3, 0),
        ("loop-block", 5, 2),
        ("starved", 9, 0),
        ("gc", 9, 0),
    ],
)
def test_a_word_counts_by_itself_only_where_no_tick_can_tell(
    verdict: str, lasted_s: int, bad: int
) -> None:
    assert bad_seconds(verdict, lasted_s) == bad


def test_the_same_report_twice_changes_nothing() -> None:
    history = noted((), said(1, 2, 3), "gc", True)
    assert noted(history, said(1, 2, 3), "", False) == history


def test_a_node_that_started_anew_begins_a_new_history() -> None:
    history = noted((), said(900, 901), "", False)
    assert [w.number for w in noted(history, said(5, 6), "", False)] == [5, 6]


def test_only_so_many_are_kept() -> None:
    history: History = ()
    for number in range(100):
        history = noted(history, said(number), "", False, keep=30)
    assert [w.number for w in history] == list(range(70, 100))
    assert len(noted(history, said(100), "", False, keep=1)) == LEAST_KEPT


def test_a_report_without_seconds_leaves_what_was_known() -> None:
    history = noted((), said(1), "", False)
    assert noted(history, [], "gc", False) == history
