"""Whose turn it is, when, and what a scrape sees of it."""

from __future__ import annotations

from array import array

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.state import probepage as page
from voiceroom_mixer.core.timing.probing import DriftRow, Rota, figures, next_deadline

INTERVAL = 20 * NS_PER_MS


def row(words: array[int], cpu: int) -> DriftRow:
    at = page.row_at(cpu)
    return DriftRow(memoryview(words)[at : at + page.ROW_WORDS])


def blank() -> array[int]:
    return array("q", bytes(page.BYTES))


def test_cpus_take_turns() -> None:
    rota = Rota([2, 0, 5])
    assert [rota.next() for _ in range(7)] == [0, 2, 5, 0, 2, 5, 0]


def test_who_comes_next_stays_next_when_cpus_come_and_go() -> None:
    rota = Rota([0, 1, 2, 3])
    assert [rota.next(), rota.next()] == [0, 1]
    rota.follow([0, 3, 4])
    assert [rota.next() for _ in range(4)] == [3, 4, 0, 3]
    rota.follow([])
    assert rota.next() is None
    rota.follow([1])
    assert [rota.next(), rota.next()] == [1, 1]


def test_cpus_beyond_the_page_are_left_out() -> None:
    assert Rota([3, page.CPUS, page.CPUS + 7]).cpus == (3,)
    with pytest.raises(IndexError):
        page.row_at(page.CPUS)


def test_deadlines_stand_on_the_grid() -> None:
    origin = 7 * NS_PER_MS
    deadline = next_deadline(100 * NS_PER_MS, INTERVAL, origin)
    assert deadline == 107 * NS_PER_MS
    assert next_deadline(deadline + 40_000, INTERVAL, origin) == deadline + INTERVAL


def test_a_late_visit_is_followed_by_no_burst() -> None:
    deadline = next_deadline(95 * NS_PER_MS, INTERVAL, 0)
    assert next_deadline(deadline + 70 * NS_PER_MS, INTERVAL, 0) == deadline + 4 * INTERVAL


def test_a_deadline_that_is_almost_there_is_left_to_pass() -> None:
    assert next_deadline(99 * NS_PER_MS, INTERVAL, 0) == 120 * NS_PER_MS


def test_an_origin_to_come_is_no_reason_to_wait_for_it() -> None:
    assert next_deadline(0, INTERVAL, 5 * NS_PER_S + NS_PER_MS) == 21 * NS_PER_MS


def test_a_scrape_sees_each_cpus_greatest_of_the_last_minute() -> None:
    words = blank()
    first, second = row(words, 0), row(words, 3)
    first.observe(1 * NS_PER_S, 4 * NS_PER_MS, 3 * NS_PER_MS)
    first.observe(2 * NS_PER_S, 60_000, 0)
    second.observe(2 * NS_PER_S, 90_000, 10_000)
    seen = figures(words, 3 * NS_PER_S)
    assert seen.max_ns == {0: 4 * NS_PER_MS, 3: 90_000}
    assert seen.wait_ns == {0: 3 * NS_PER_MS, 3: 10_000}
    assert figures(words, 3 * NS_PER_S) == seen  # reading resets nothing
    first.observe(70 * NS_PER_S, 50_000, 0)
    assert figures(words, 70 * NS_PER_S).max_ns[0] == 50_000


def test_a_cpu_that_nobody_visits_any_more_has_no_gauge_and_keeps_its_counts() -> None:
    words = blank()
    row(words, 0).observe(1 * NS_PER_S, 60_000, 0)
    row(words, 1).observe(50 * NS_PER_S, 60_000, 0)
    seen = figures(words, 62 * NS_PER_S)
    assert set(seen.max_ns) == {1}
    assert sum(seen.buckets) == 2
    assert seen.seen_ns == 50 * NS_PER_S


def test_the_histogram_counts_as_prometheus_has_it() -> None:
    words = blank()
    one = row(words, 0)
    for late_us in (50, 51, 100_000, 100_001):
        one.observe(NS_PER_S, late_us * 1_000, 0)
    one.observe(NS_PER_S, -1, 0)  # no sleep ends early; a clock that says so counts as on time
    seen = figures(words, NS_PER_S)
    assert [seen.buckets[0], seen.buckets[1], seen.buckets[-2], seen.buckets[-1]] == [2, 1, 1, 1]
    assert seen.sum_ns == (50 + 51 + 100_000 + 100_001) * 1_000


def test_a_probe_that_starts_again_goes_on_counting() -> None:
    words = blank()
    row(words, 0).observe(NS_PER_S, 60_000, 0)
    row(words, 0).observe(2 * NS_PER_S, 60_000, 0)
    assert sum(figures(words, 2 * NS_PER_S).buckets) == 2


def test_an_untouched_page_is_no_news() -> None:
    seen = figures(blank(), NS_PER_S)
    assert (seen.max_ns, sum(seen.buckets), seen.policy, seen.seen_ns) == ({}, 0, "unknown", 0)
    assert len(seen.buckets) == len(page.EDGES_US) + 1
