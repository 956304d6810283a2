"""What a pod says of itself, as the operator takes it; nonsense counts as not said."""

from __future__ import annotations

from typing import Any

import pytest

from voiceroom_api import names
from voiceroom_operator.observed import Held
from voiceroom_operator.reading.reports import (
    StatusReport,
    rooms_said,
    status_report,
)
from voiceroom_operator.status.facts import Granted

SAID: dict[str, Any] = {
    "bootId": "b1",
    "term": 3,
    "generation": 7,
    "directory": 12,
    "accepting": False,
    "unready": ["draining"],
    "rooms": [
        {"name": "lobby", "epoch": 2, "role": "owner", "legs": 3, "participants": 2},
        {"name": "hall", "epoch": 5, "role": "twin", "legs": 0, "participants": 0},
    ],
    "relays": 4,
    "headroom": 0.75,
    "grade": "B",
    "realtime": {
        "mode": "Fifo",
        "granted": False,
        "reason": names.MISSING_CAP_SYS_NICE,
        "message": "SCHED_FIFO 10 was refused",
        "remedy": "allow it",
    },
    "timing": {"p99Ms": 1.5, "verdict": "throttle", "since": 1_800_000_000.0, "windows": []},
}


def test_all_of_it() -> None:
    found = status_report(SAID, silent_s=2.0)
    assert (found.boot_id, found.term, found.generation, found.directory) == ("b1", 3, 7, 12)
    assert found.pod.holds == (Held("lobby", 2, "owner", 3), Held("hall", 5, "twin", 0))
    assert (found.pod.accepting, found.pod.relays, found.pod.headroom) == (False, 4, 0.75)
    assert found.pod.silent_s == 2.0
    assert found.participants == {"lobby": 2}
    assert found.unready == ("draining",)
    assert found.realtime == Granted(
        "Fifo", False, names.MISSING_CAP_SYS_NICE, "SCHED_FIFO 10 was refused: allow it"
    )
    assert found.grade == "B"
    assert (found.timing.p99_ms, found.timing.verdict) == (1.5, "throttle")


def test_nothing_said_is_nothing_known() -> None:
    assert status_report({}) == StatusReport()
    assert status_report({}).pod.headroom is None
    assert status_report({}).realtime.granted is None


@pytest.mark.parametrize("value", [None, 7, -7, "x", "", [], {}, True, float("nan"), 1e400])
@pytest.mark.parametrize("field", sorted(SAID))
def test_nonsense_in_a_field_spoils_that_field_only(field: str, value: Any) -> None:
    found = status_report(SAID | {field: value})
    if field != "bootId":
        assert found.boot_id == "b1"
    if field != "rooms":
        assert len(found.pod.holds) == 2
    if field != "headroom":
        assert found.pod.headroom == 0.75


@pytest.mark.parametrize(
    "entry", [None, 7, {}, {"name": 3}, {"name": "x"}, {"name": "x", "role": "guest"}]
)
def test_a_room_that_cannot_be_read_is_none(entry: Any) -> None:
    found = status_report(SAID | {"rooms": [entry, *SAID["rooms"]]})
    assert [held.room for held in found.pod.holds] == ["lobby", "hall"]


def test_words_that_a_condition_cannot_hold_are_not_passed_on() -> None:
    realtime = SAID["realtime"] | {"reason": "not a reason", "message": "m" * 5000}
    found = status_report(SAID | {"realtime": realtime}).realtime
    assert found.reason == names.NOT_REPORTED
    assert len(found.message) <= 1024
    assert status_report(SAID | {"timing": {"verdict": "bad mood"}}).timing.verdict == ""


def test_the_same_rooms_are_not_read_again() -> None:
    first = rooms_said(SAID["rooms"])
    again = [dict(entry) for entry in SAID["rooms"]]
    assert rooms_said(again, first) is first
    assert status_report(SAID, rooms=first) == status_report(SAID)
    other = rooms_said([SAID["rooms"][0] | {"legs": 4}], first)
    assert other.holds == (Held("lobby", 2, "owner", 4),)


@pytest.mark.parametrize(
    ("level", "breaker", "asks"),
    [
        (0, "open", False),
        (3, "open", False),
        (4, "half-open", False),
        (4, "open", True),
        (5, "closed", True),
    ],
)
def test_a_pod_asks_to_be_left_when_its_own_steps_are_used_up(
    level: int, breaker: str, asks: bool
) -> None:
    assert status_report(SAID | {"level": level, "breaker": breaker}).asks is asks
