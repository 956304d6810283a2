"""Timestamps by a clock carry lateness and steps; those by a counter carry neither."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_driftlab.experiments import lab_pts, timestamps
from voiceroom_driftlab.experiments.timestamps import Stamps

MS = 1_000_000
FRAME_NS = 20 * MS


def grid(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(count, dtype=np.int64) * FRAME_NS + 1_700_000_000 * 1_000 * MS


def test_one_late_frame_is_in_two_distances() -> None:
    wall = grid(10)
    wall[5] += 7 * MS
    assert list(timestamps.errors_ms(wall, FRAME_NS)) == [0, 0, 0, 0, 7, -7, 0, 0, 0]


def test_a_counter_is_right_to_the_nanosecond() -> None:
    found = timestamps.spread_ms(timestamps.counted(FRAME_NS, 100_000), FRAME_NS)
    assert (found.std, found.min, found.max) == (0, 0, 0)


def test_an_ntp_step_goes_into_the_stamps_whole_and_backwards() -> None:
    moved = timestamps.stepped(grid(10), 5, -100 * MS)
    assert timestamps.backwards(moved) == 1
    assert timestamps.spread_ms(moved, FRAME_NS).min == pytest.approx(-100)


def test_the_table_has_the_articles_figures_and_ours() -> None:
    wall = grid(100)
    late = wall + np.random.default_rng(1).integers(10 * MS, size=100)
    idle, busy = Stamps(FRAME_NS, wall, wall[:0]), Stamps(FRAME_NS, late, wall[:0])
    found = lab_pts.result(idle, busy)
    rows = {str(row[0]): row[1:] for row in found.tables[0].rows}
    assert rows["article: after Go 1.21 (time.Now jitters by 8 to 12 ms)"][0] == "27"
    assert rows["wall clock, idle"][0] == "0.000"
    assert float(str(rows["wall clock, 4 busy threads"][0])) > 1
    assert rows["sample counter, any load, any step"] == ["0.000", "0.000", "0.000", "0"]
