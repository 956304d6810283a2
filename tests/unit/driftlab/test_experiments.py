"""What the experiments print of what was measured."""

from __future__ import annotations

import json

import numpy as np
import pytest

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.experiments import (
    command,
    lab_ab,
    lab_block,
    lab_clocks,
    lab_pauses,
    lab_timers,
    table,
)
from voiceroom_driftlab.experiments.agreement import judged
from voiceroom_driftlab.experiments.blocking import PLACES, Spreading
from voiceroom_driftlab.experiments.pauses import GilRow, HeapRow, guesses
from voiceroom_driftlab.experiments.readcost import Cost
from voiceroom_driftlab.experiments.result import Result
from voiceroom_driftlab.experiments.spread import spread
from voiceroom_driftlab.experiments.stalls import Pause
from voiceroom_driftlab.experiments.trace import Trace
from voiceroom_driftlab.experiments.watched import Watched

PERIOD_NS = 10 * NS_PER_MS


def trace(name: str, late_ns: float, step_ns: float, *, chained: bool) -> Trace:
    n = np.arange(1, 401)
    ran = n * PERIOD_NS + int(late_ns) + (n * step_ns).astype(np.int64)
    return Trace(name, PERIOD_NS, 0, ran, chained)


TRACES = [
    trace("asyncio call_later chain", 0, 400_000, chained=True),
    trace("thread nanosleep", 80_000, 0, chained=False),
]


def row(result: Result, title: str, first: str) -> dict[str, str]:
    """The row that begins so, of the table with such a title."""
    found = next(one for one in result.tables if title in one.title)
    cells = next(one for one in found.rows if str(one[0]).startswith(first))
    return dict(zip(found.header, map(str, cells), strict=True))


def test_a_chain_adds_up_to_a_line_and_a_grid_to_nothing() -> None:
    found = lab_timers.result(TRACES)
    chain, grid = row(found, "S2.5", "asyncio"), row(found, "S2.5", "thread")
    assert (chain["us per frame"], chain["after 100 frames, us"]) == ("400.00", "40,000")
    assert chain["step of 2nd half : 1st"] == "1.00"
    assert grid["step of 2nd half : 1st"] == "does not grow"
    assert row(found, "S2.5", "article")["us per frame"] == "2.3"


def test_a_chain_is_heard_as_gaps_and_a_grid_is_whole() -> None:
    found = lab_timers.result(TRACES)
    chain, grid = row(found, "997", "asyncio"), row(found, "997", "thread")
    assert int(chain["gaps"]) == 7
    assert int(chain["clicks"]) >= 7
    assert (grid["gaps"], grid["clicks"], grid["silent, ms"]) == ("0", "0", "0.0")


def test_the_three_indicators_stand_beside_those_of_the_article() -> None:
    found = lab_ab.result(TRACES, 4.0)
    chain = row(found, "S3.3", "asyncio")
    assert (chain["mean deviation, ms"], chain["max jitter, ms"]) == ("0.40", "0.4")
    assert chain["breaks, % of frames"] == "3.750"
    assert row(found, "S3.3", "article: Go 1.21.6")["breaks, % of frames"] == "0.011"


def cost(name: str, language: str, p999_ns: float = 30) -> Cost:
    return Cost(name, language, 1_000, 24.3, 3.7, 20, 20, p999_ns, 24.1, 156)


CLOCKS = lab_clocks.result(
    [cost("rdtscp + lfence", "C"), cost("monotonic", "Python", 4_095)],
    [cost("MONOTONIC (vDSO)", "C"), cost("MONOTONIC_RAW (system call)", "C")],
    [judged("one process", [(1, 2, 3)])],
)


def test_the_articles_figures_stand_beside_the_clocks_that_they_are_of() -> None:
    assert row(CLOCKS, "S2.2", "rdtscp")["article, ns"] == "32.1 ± 1.7"
    assert row(CLOCKS, "S2.2", "monotonic")["article, ns"] == ""
    assert row(CLOCKS, "S4.1", "MONOTONIC (")["article, ns"].startswith("nanotime")
    assert row(CLOCKS, "S4.1", "MONOTONIC_RAW")["article, ns"].startswith("HighResTimer")


def test_what_is_over_the_last_bin_is_only_said_to_be() -> None:
    assert row(CLOCKS, "S2.2", "monotonic")["p99.9"] == "over 4,000"


def pauses_result() -> Result:
    due = np.arange(1, 101) * 2 * NS_PER_MS
    late = np.full(100, 60_000)
    late[49] = 5 * NS_PER_MS
    watched = Watched(due, late, np.zeros(100, np.int64))
    seen = [Pause(int(due[49]) - 10_000, int(due[49]) + 5 * NS_PER_MS)]
    heap = HeapRow(50_000, spread([5.01]), spread([5.0]), 0.0, spread([-12.0, 7.0]), 300.0, 11.0)
    gil = GilRow(5.0, 1, spread([5.3]))
    return lab_pauses.result(
        [heap], [gil], list(guesses("gc", watched, seen)), ("one", watched, seen)
    )


def test_a_pause_is_lateness_and_no_error_of_a_clock() -> None:
    heap = row(pauses_result(), "Full collections", "50,000")
    assert (heap["gc pause p50, ms"], heap["tick late p50, ms"]) == ("5.01", "5.00")
    assert heap["clock error max, ns"] == "12"


def test_a_guess_is_scored() -> None:
    guess = row(pauses_result(), "inferred", "gc")
    assert (guess["precision"], guess["recall"], guess["true"]) == ("1.00", "1.00", "1")


def test_the_articles_own_residuals_are_a_line() -> None:
    found = next(one for one in pauses_result().tables if "own figures" in one.title)
    per_ms = [float(str(one[-1])) for one in found.rows]
    assert per_ms[1] == pytest.approx(per_ms[0], rel=0.1)


def blocked(place: str) -> Spreading:
    return Spreading(
        place, 5.0, 5_000.0, 20, 800_000, 0, 5.0, 5_000.0, 20, 2.0, {"lag": [(0.0, 1.0)]}
    )


BLOCK = lab_block.result([blocked(place) for place in PLACES])


def test_the_path_of_a_block_is_told_for_each_place() -> None:
    assert row(BLOCK, "S3.1", "in a callback")["frozen, of 20"] == "20"
    assert list(BLOCK.charts[0].lines) == list(PLACES)


@pytest.mark.parametrize(
    "result",
    [CLOCKS, BLOCK, pauses_result(), lab_timers.result(TRACES), lab_ab.result(TRACES, 4.0)],
    ids=lambda result: result.name,
)
def test_everything_can_be_printed_and_written(result: Result) -> None:
    assert result.says in " ".join(table.text(result).split())
    assert json.loads(json.dumps(command.as_json(result)))["data"]
    assert all(len(one) == len(t.header) for t in result.tables for one in t.rows)
    assert result.charts
