"""What the cluster says, as facts."""

from __future__ import annotations

from typing import Any

from demo import reading
from demo.facts import Decision, Judgement, Move, Place, Release

POD = {"metadata": {"name": "voiceroom-default-0"}, "spec": {"nodeName": "node-1"}}
MOVED = {"id": "a", "reason": "Drift", "from": "voiceroom-default-0", "to": "voiceroom-default-1"}


def room(**status: Any) -> dict[str, Any]:
    return {"status": status}


def test_a_room_without_a_status_says_nothing() -> None:
    assert list(reading.room_facts({}, 1.0)) == []
    assert reading.endpoint({}) is None


def test_a_room_says_where_it_is_and_where_gateways_send_to() -> None:
    found = room(podName="p", nodeName="n", endpoint={"udp": ["10.200.0.11:20478"]})
    assert list(reading.room_facts(found, 1.0)) == [Place(1.0, "p", "n")]
    assert reading.endpoint(found) == ("10.200.0.11", 20478)


def test_a_move_is_begun_until_its_end_is_on_record() -> None:
    for extra, state in (
        ({}, "begun"),
        ({"switchedAt": "2026-01-01T00:00:00Z"}, "done"),
        ({"endedAt": "2026-01-01T00:00:00Z"}, "given up"),
    ):
        (move,) = reading.room_facts(room(moves={"last": MOVED | extra}), 1.0)
        assert isinstance(move, Move)
        assert (move.id, move.source, move.to, move.state) == (
            *("a", "voiceroom-default-0", "voiceroom-default-1"),
            state,
        )


def test_a_pool_says_who_is_left_and_who_is_good_again() -> None:
    pool = reading.PoolReader()
    entry = {"what": "Node", "name": "node-1", "cause": "starved"}
    bad = {"budget": {"evacuations": [entry]}}
    quarantined = [{"name": "node-1", "quarantinedUntil": "2026-01-01T00:00:00Z"}]
    assert list(pool.facts({"status": bad | {"nodes": quarantined}}, 1.0)) == [
        Decision(1.0, "Node", "node-1", "starved")
    ]
    good = {"status": {"nodes": [{"name": "node-1"}]}}
    assert list(pool.facts(good, 2.0)) == [Release(2.0, "node-1")]
    assert list(pool.facts(good, 3.0)) == []


def test_a_dry_run_decides_nothing() -> None:
    entry = {"what": "Node", "name": "node-1", "cause": "starved", "dryRun": True}
    pool = {"status": {"budget": {"evacuations": [entry]}}}
    assert list(reading.PoolReader().facts(pool, 1.0)) == []


def test_a_pods_report_gives_its_verdict_and_how_late_it_was_in_the_newest_seconds() -> None:
    windows = [
        {"window": second, "ticks": ticks, "latenessP99Ms": late}
        for second, ticks, late in ((10, 50, 400.0), (11, 50, 1.0), (12, 9, 97.0), (13, 50, 2.0))
    ]
    evidence = [{"name": "run-queue delay", "value": 95.2, "unit": "ms"}]
    timing = {"windows": windows, "verdict": "starved", "evidence": evidence}
    assert reading.judgement(POD, {"timing": timing}, 5.0) == Judgement(
        *(5.0, "voiceroom-default-0", "node-1", "starved"), ("run-queue delay 95.2 ms",), 97.0
    )
    assert reading.judgement(POD, {}, 5.0) == Judgement(5.0, "voiceroom-default-0", "node-1", "")


def test_seconds_without_a_tick_have_no_lateness() -> None:
    windows = [
        {"window": 10, "ticks": 50, "latenessP99Ms": 0.2},
        {"window": 11, "ticks": 0, "latenessP99Ms": 0.0},
    ]
    assert reading.lateness({"timing": {"windows": windows}}) == {10: 0.2}
