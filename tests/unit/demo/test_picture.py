"""The picture of `make demo-drift`."""

from __future__ import annotations

from pathlib import Path

import pytest

from demo import picture
from demo.outcome import Outcome


def test_the_longest_pause_of_each_tenth_of_a_second_is_kept() -> None:
    pauses = [(99.01, 20.0), (100.02, 20.0), (100.07, 95.0), (100.15, 21.0), (140.0, 500.0)]
    moments, longest = picture.longest(pauses, zero_s=100.0, until_s=30.0)
    assert moments == pytest.approx([-1.0, 0.0, 0.1])
    assert longest == [20.0, 95.0, 21.0]


def test_what_came_long_before_the_stall_is_left_out() -> None:
    early = 100.0 - picture.BEFORE_S - 0.5
    assert picture.longest([(early, 20.0)], zero_s=100.0, until_s=5.0) == ([], [])


def test_it_is_a_png_though_half_of_it_did_not_happen(tmp_path: Path) -> None:
    path = tmp_path / "new" / "drift.png"
    outcome = Outcome(node="node-1", zero_s=100.0, detected_s=1.2)
    lateness = {"node-1": {99: 0.1, 100: 96.0}, "node-2": {99: 0.1}}
    picture.draw(path, 12.0, lateness, [(100.5, 95.0)], outcome)
    assert path.read_bytes().startswith(b"\x89PNG")
