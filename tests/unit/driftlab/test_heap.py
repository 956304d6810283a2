"""The article's two sequences of readings, and any other: who fires early, late, again."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_driftlab.experiments import lab_heap
from voiceroom_driftlab.experiments.misfires import (
    HEAPS,
    MakeLook,
    Misfires,
    as_written,
    clamped_heap,
    plain_heap,
    play,
    stepping,
    wandering,
)

BOTH = pytest.mark.parametrize("make", [plain_heap, clamped_heap])


@BOTH
def test_a_step_back_fires_nothing_early_and_is_late_by_the_step(make: MakeLook) -> None:
    found = play(make, lab_heap.DEADLINES, stepping(1_000_000, -5, 0, 120))
    assert found == Misfires(6, at_step=0, early=0, late=4, repeated=0, never=0)


@BOTH
def test_a_step_forward_fires_what_it_steps_over_early(make: MakeLook) -> None:
    found = play(make, lab_heap.DEADLINES, stepping(1_000_000, 100, 0, 120))
    assert (found.at_step, found.early, found.late) == (3, 4, 0)


@BOTH
def test_time_that_has_passed_is_no_misfire(make: MakeLook) -> None:
    found = play(make, lab_heap.DEADLINES, stepping(1_000_000, 100, 100, 120))
    assert (found.at_step, found.early, found.late) == (3, 0, 0)


def test_the_articles_own_timer_is_not_due_after_its_step_back() -> None:
    assert play(plain_heap, [1_000_003], stepping(1_000_005, -5, 0, 0)[1:]).never == 1


def test_the_articles_loop_fires_the_same_timer_at_every_look() -> None:
    assert play(as_written, [999_990], stepping(1_000_000, -5, 0, 9)).repeated == 10


@pytest.mark.parametrize("seed", range(20))
def test_no_heap_that_takes_out_fires_twice_or_never(seed: int) -> None:
    draw = np.random.default_rng(seed)
    readings = wandering(draw, 0, 300)
    deadlines = sorted({int(x) for x in draw.integers(readings[-2].true_ns, size=50)})
    for make in list(HEAPS.values())[1:]:
        found = play(make, deadlines, readings)
        assert (found.repeated, found.never) == (0, 0)


def test_the_experiment_is_the_same_for_the_same_seed() -> None:
    first, again = (lab_heap.run(True, 7, lambda what, share=None: None) for _ in range(2))
    assert first.data == again.data
    assert [row[2] for row in first.tables[0].rows[:9]] == ["2"] * 3 + ["0"] * 6
