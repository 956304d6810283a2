"""Figures of the bench of the operator, from what was read."""

from __future__ import annotations

import pytest
from bench.cluster import figures
from bench.cluster.meter import Reading, reading, samples
from bench.errors import BenchError

METRICS = """\
# TYPE voiceroom_operator_api_requests counter
voiceroom_operator_api_requests_total{verb="patch",resource="voicerooms",code="200"} 4.0
voiceroom_operator_api_requests_total{verb="list",resource="pods",code="200"} 7.0
voiceroom_operator_api_requests_total{verb="create",resource="events",code="201"} 2.0
voiceroom_operator_api_requests_total{verb="patch",resource="leases",code="200"} 100.0
voiceroom_operator_reconcile_seconds_bucket{le="0.005"} 3.0
voiceroom_operator_reconcile_seconds_count 5.0
voiceroom_operator_reconcile_seconds_sum 0.25
# EOF
"""


def test_a_reading_counts_calls_writes_and_rounds() -> None:
    found = reading(METRICS, at_s=10.0, used_s=3.0)
    assert found == Reading(10.0, 3.0, calls=13.0, writes=4.0, rounds=5.0, round_s=0.25)
    assert found.since(found) == Reading(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    assert samples('a_total{b="c",d="e f"} 1.5e1\n') == [("a_total", {"b": "c", "d": "e f"}, 15.0)]


def test_what_rest_takes_is_not_counted_to_changes() -> None:
    rest = Reading(30.0, 0.6, calls=24, writes=0, rounds=1, round_s=0.01)
    during = Reading(15.0, 0.4, calls=22, writes=10, rounds=10.5, round_s=0.21)
    found = figures.change(during, rest, 10)
    assert (found.calls, found.rounds) == (1.0, 1.0)
    assert found.cpu_ms == pytest.approx(10.0)
    assert found.round_ms == pytest.approx(20.0)
    assert str(found) == "10.0 ms CPU, 1.0 API calls, 1.0 rounds of 20.0 ms"


def test_a_change_among_many_is_judged_by_one_among_few() -> None:
    few, many = figures.Change(2.0, 8.0, 1.0, 5.0), figures.Change(2.0, 10.0, 1.0, 6.0)
    first, second = figures.comparison(few, many, (10, 1000))
    assert (first.verdict, second.verdict, second.ratio) == ("met", "missed", 1.25)
    assert second.figure == "one change of a room among 1,000"


def test_rows_say_what_was_promised() -> None:
    assert figures.delays("x", [0.1] * 98 + [2.0] * 2).verdict == "missed"
    assert figures.delays("x", [0.1] * 99 + [2.0]).verdict == "met"
    assert figures.delays("x", [0.1, 0.9]).ours == "p50 0.10 s, p99 0.90 s, slowest 0.90 s"
    quiet = Reading(60.0, 2.4, calls=60, writes=3, rounds=2, round_s=0.1)
    rows = figures.rest(quiet, 93.4, 1000)
    assert [row.ours for row in rows] == ["93 MiB", "4.0 % of a core", "0.05 a second"]
    assert {row.verdict for row in rows} == {"met"}


def test_figures_are_of_one_process() -> None:
    before = Reading(0.0, 9.0, 0, 0, 0, 0.0, started_s=100.0)
    with pytest.raises(BenchError, match="started again"):
        Reading(5.0, 1.0, 0, 0, 0, 0.0, started_s=104.0).since(before)
