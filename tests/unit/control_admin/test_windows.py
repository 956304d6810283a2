"""Windows of a second over the ring of ticks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.admin.windows import windows, work_p99_ns, worst
from voiceroom_mixer.core.state import stats

ORIGIN_NS = 500 * NS_PER_S
FRAME_NS = 20 * NS_PER_MS


def ticks(*rows: dict[str, int]) -> NDArray[np.int64]:
    table = np.zeros((len(rows), stats.TICK_WORDS), np.int64)
    for row, fields in zip(table, rows, strict=True):
        for name, value in fields.items():
            row[stats.TICK_FIELDS.index(name)] = value
    return table


def second(number: int, **fields: int) -> list[dict[str, int]]:
    """Fifty ticks of the ``number``-th second after the origin."""
    return [{"slot": number * 100 + n * 2} | fields for n in range(50)]


def seen(rows: list[dict[str, int]], now_s: int, shown: int = 5) -> list[dict[str, Any]]:
    now_ns = ORIGIN_NS + now_s * NS_PER_S
    return windows(ticks(*rows), ORIGIN_NS, FRAME_NS, now_ns, shown)


def test_whole_seconds_oldest_first() -> None:
    rows = second(0, late_ns=NS_PER_MS) + second(1, late_ns=3 * NS_PER_MS) + second(2)
    found = seen(rows, 2)
    assert [window["window"] for window in found] == [500, 501], "the third is not over"
    assert [window["ticks"] for window in found] == [50, 50]
    assert [window["latenessP99Ms"] for window in found] == [1.0, 3.0]
    assert found == seen(rows[::-1], 2), "the ring has no order"


def test_a_second_in_which_nothing_ran_shows() -> None:
    found = seen(second(0) + second(3), 4)
    assert [window["ticks"] for window in found] == [50, 0, 0, 50]


def test_what_was_late_and_what_was_skipped() -> None:
    rows = second(0, work_ns=2 * NS_PER_MS)
    rows[7] |= {"late_ns": 45 * NS_PER_MS, "skipped": 2, "work_ns": 9 * NS_PER_MS}
    (window,) = seen(rows, 1)
    assert (window["late"], window["skipped"]) == (1, 2)
    assert (window["latenessP50Ms"], window["latenessMaxMs"]) == (0.0, 45.0)
    assert (window["workP99Ms"], window["workMaxMs"]) == (9.0, 9.0)


def test_the_worst_of_several_processes() -> None:
    good = seen(second(0, late_ns=NS_PER_MS), 1)
    bad = seen(second(0, late_ns=8 * NS_PER_MS) + second(1), 2)
    merged = worst([good, bad])
    assert [window["window"] for window in merged] == [500, 501]
    assert (merged[0]["ticks"], merged[0]["latenessP99Ms"]) == (100, 8.0)
    assert worst([good, good])[0]["ticks"] == 100
    assert good[0]["ticks"] == 50, "what was merged is not changed"


@pytest.mark.parametrize(("count", "expected_ms"), [(1, 1), (100, 100), (200, 199)])
def test_the_p99_of_work_is_a_nearest_rank(count: int, expected_ms: int) -> None:
    rows = [{"slot": n, "work_ns": (n + 1) * NS_PER_MS} for n in range(count)]
    assert work_p99_ns(ticks(*rows)) == expected_ms * NS_PER_MS


def test_before_the_first_tick() -> None:
    assert work_p99_ns(ticks()) is None
    assert seen([], 0) == []
