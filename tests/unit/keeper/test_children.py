"""When a child is started again."""

from __future__ import annotations

import pytest

from voiceroom_mixer.children import PROBE_BACKOFF_S, STABLE_S, Child
from voiceroom_mixer.inheritance import Inherited


@pytest.fixture
def child() -> Child:
    return Child("voiceroom-media", (), Inherited(None, None, None, None, ()))


def delay_s(child: Child, died_s: float) -> float:
    child.died(died_s)
    return round(child.due_s - died_s, 6)


def test_the_first_death_costs_no_time(child: Child) -> None:
    child.pid = 77
    child.started(100.0)
    assert delay_s(child, 101.0) == 0.0
    assert child.pid == 0


def test_quick_deaths_in_a_row_are_slowed_down_to_one_a_second(child: Child) -> None:
    delays = []
    for _ in range(6):
        child.started(child.due_s)
        delays.append(delay_s(child, child.due_s + 0.2))
    assert delays == [0.0, 0.1, 0.5, 1.0, 1.0, 1.0]


def test_a_process_that_ran_well_starts_with_a_clean_record(child: Child) -> None:
    for _ in range(4):
        child.started(0.0)
        child.died(0.1)
    child.started(1.0)
    assert delay_s(child, 1.0 + STABLE_S) == 0.0
    assert child.starts == 5


def test_a_clock_probe_that_dies_is_in_no_hurry() -> None:
    probe = Child("probe", (), Inherited(None, None, None, None, ()), backoff_s=PROBE_BACKOFF_S)
    delays = []
    for _ in range(5):
        probe.started(probe.due_s)
        delays.append(delay_s(probe, probe.due_s + 0.2))
    assert delays == [1.0, 10.0, 60.0, 300.0, 300.0]
