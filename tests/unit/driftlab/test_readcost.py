"""The laboratory's C, and readings that must lie in order."""

from __future__ import annotations

import numpy as np
import pytest

from voiceroom_driftlab.experiments import agreement, compiled, readcost
from voiceroom_mixer.native import build


def test_every_clock_is_read_as_often_as_asked() -> None:
    costs = [*readcost.from_c(2_000), *readcost.from_python(2_000)]
    assert {cost.reads for cost in costs} == {2_000}
    assert all(0 < cost.mean_ns <= cost.max_ns for cost in costs)
    assert any("vDSO" in cost.clock for cost in costs)


def test_a_quantile_of_bins() -> None:
    bins = np.array([0, 90, 9, 1], np.uint64)
    assert [readcost.quantile(bins, q) for q in (0.5, 0.95, 0.999)] == [1, 2, 3]


def test_a_reading_of_c_lies_between_two_of_python() -> None:
    assert agreement.in_process(500).outside == 0
    assert agreement.across_processes(50).outside == 0


def test_a_reading_out_of_order_is_counted() -> None:
    found = agreement.judged("made up", [(10, 15, 20), (10, 21, 20), (10, 9, 20)])
    assert (found.outside, found.bracket_ns.max) == (2, 10)


def test_without_a_compiler_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(build, "COMPILERS", ())
    compiled.library.cache_clear()
    with pytest.raises(build.BuildError, match="install gcc"):
        compiled.library()
