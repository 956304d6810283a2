"""The self-test at start."""

from __future__ import annotations

import itertools

import pytest

from voiceroom_mixer.edge import selftest
from voiceroom_mixer.edge.selftest import ReadCost, passed, read_cost, read_costs


def stepping(cost_ns: int) -> itertools.count[int]:
    return itertools.count(1_000, cost_ns)


def test_the_cost_of_a_reading_is_the_distance_between_two() -> None:
    cost = read_cost("x", stepping(70).__next__, reads=12_000, slice_ns=10**12)
    assert cost == ReadCost("x", 12_000, 70.0, 70.0, 0.0, 70.0)
    assert not cost.slow


def test_a_clock_that_enters_the_kernel_is_slow() -> None:
    assert read_cost("x", stepping(1_001).__next__, reads=100, slice_ns=10**12).slow


def test_min_mean_and_max_are_told_apart() -> None:
    readings = iter([0, 10, 30, 60])
    cost = read_cost("x", readings.__next__, reads=3, slice_ns=10**12)
    assert (cost.min_ns, cost.mean_ns, cost.max_ns) == (10.0, 20.0, 30.0)
    assert cost.std_ns == pytest.approx(8.165, abs=0.001)


def test_a_clock_that_is_too_slow_is_measured_by_what_fits() -> None:
    cost = read_cost("x", stepping(1).__next__, reads=1_000_000, slice_ns=0)
    assert 0 < cost.reads < 1_000_000


def test_every_clock_of_this_machine_is_measured() -> None:
    costs = read_costs(reads=500)
    assert [cost.clock for cost in costs] == list(selftest.CLOCKS)
    assert all(cost.reads == 500 and cost.max_ns >= cost.min_ns >= 0 for cost in costs)


@pytest.mark.parametrize(("name", "verdict"), [("monotonic", False), ("boottime", True)])
def test_only_the_clock_that_deadlines_stand_on_decides(name: str, verdict: bool) -> None:
    good = ReadCost("monotonic", 10, 50, 60, 5, 900)
    slow = ReadCost(name, 10, 900, 1_500, 5, 9_000)
    assert passed((slow,) if name == "monotonic" else (good, slow)) is verdict
