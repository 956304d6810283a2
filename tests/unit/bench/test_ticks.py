"""The mixer's record of ticks, read as another process reads it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import pytest
from bench.errors import BenchError
from bench.ticks import TickRecord, Ticks, quantile

from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.edge.shm import Segment, attach


@pytest.fixture
def segment() -> Iterator[Segment]:
    fd = os.memfd_create("ticks")
    yield attach(fd, Capacity(rooms=1, legs=1, events=1, revoked=1))
    os.close(fd)


def tick(segment: Segment, late_ns: int, work_ns: int, skipped: int = 0) -> None:
    """As the media process records one."""
    segment.counters[stats.INDEX["ticks"]] += 1
    row = segment.counters[stats.INDEX["ticks"]] % layout.TICK_RING
    segment.ticks[row] = (0, late_ns, work_ns, skipped, 0, 0, 0, 0)


def test_only_ticks_of_the_window_count(segment: Segment) -> None:
    record = TickRecord(segment)
    tick(segment, 999, 999, skipped=9)
    begin = record.count
    for n in range(3):
        tick(segment, n, 10 * n, skipped=n)
    ticks = record.since(begin)
    assert ticks.late_ns.tolist() == [0, 1, 2]
    assert ticks.done_ns.tolist() == [0, 11, 22]
    assert ticks.skipped == 3


def test_a_window_may_go_round_the_ring(segment: Segment) -> None:
    record = TickRecord(segment)
    for n in range(layout.TICK_RING + 5):
        tick(segment, n, 0)
    last = record.since(record.count - 10).late_ns
    assert last.tolist() == list(range(layout.TICK_RING - 5, layout.TICK_RING + 5))


def test_a_window_longer_than_the_ring_is_refused(segment: Segment) -> None:
    record = TickRecord(segment)
    for _ in range(layout.TICK_RING):
        tick(segment, 0, 0)
    with pytest.raises(BenchError, match="longer"):
        record.since(0)


def test_quantiles_are_values_that_were_seen() -> None:
    values = np.array([5, 1, 3], np.int64)
    assert [quantile(values, q) for q in (0.0, 0.5, 1.0)] == [1, 3, 5]
    with pytest.raises(BenchError, match="no tick"):
        quantile(values[:0], 0.5)


def test_figures_are_in_microseconds() -> None:
    ticks = Ticks(np.array([2000], np.int64), np.array([5000], np.int64), 1)
    figures = ticks.to_dict()
    assert (figures["late_p50_us"], figures["work_p99_us"], figures["done_max_us"]) == (2, 5, 7)
    assert figures["skipped"] == 1
