"""``pauses``: garbage collection and the GIL against ticks and clocks (S2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from voiceroom_driftlab.experiments.pauses import (
    PERIOD_NS,
    GilRow,
    Guess,
    HeapRow,
    gil_row,
    guesses,
    heap_row,
    hold_gil,
)
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_driftlab.experiments.stalls import Pause
from voiceroom_driftlab.experiments.watched import Watched

HEAPS: Final = (10_000, 50_000, 200_000, 800_000)
_TIMES: Final = (60, 8)
"""Collections of each heap; ``--quick``."""
_GIL: Final = ((0, 0.005), (1, 0.005), (3, 0.005), (1, 0.0005))
_GIL_S: Final = (5.0, 0.5)
_SHOWN: Final = 400
ARTICLE: Final = ((0.5, 512_340, 508_920), (2.0, 2_056_710, 2_042_100))
"""STW in ms; what the article observed and what its theory says, ns."""
SAYS: Final = (
    "A stop of the world makes nanotime wrong, by N eps + O(d²): 512,340 ns are read where "
    "508,920 should be (0.5 ms), 2,056,710 where 2,042,100 should be (2 ms); when a stop began "
    "and ended can be inferred from a trace."
)
HOLDS: Final = (
    "The clock runs on through a pause, so nothing is wrong with it and nothing adds up: a pause "
    "is lateness, of each tick whose deadline it holds, by what was left of it. The article's "
    "own residuals, 3,420 and 14,610 ns, grow 4.3 times for pauses 4 times as long: a line, and "
    "O(d²) is not even a time. Of pauses of length p, ticks each T show min(1, (p - h) / T) "
    "above a threshold h. From lateness alone a pause cannot be told from a wait for a CPU; less "
    "that wait, which the kernel counts, it can."
)


def run(quick: bool, progress: Progress, seed: int = 20_478) -> Result:
    """Everything of S2.3."""
    times, seconds = _TIMES[quick], _GIL_S[quick]
    heaps: list[HeapRow] = []
    guessed: list[Guess] = []
    shown: list[tuple[str, Watched, Sequence[Pause]]] = []
    for containers in HEAPS:
        progress(f"{times} collections of {containers:,} containers")
        row, watched, pauses = heap_row(containers, times, seed)
        heaps.append(row)
        guessed += guesses(f"gc, {containers:,} containers", watched, pauses)
        shown.append((f"{containers:,} containers", watched, pauses))
    progress(f"{times} calls into C that keep the GIL")
    watched, pauses = hold_gil(times, seed)
    guessed += guesses("GIL kept in C", watched, pauses)
    progress("threads of pure Python beside the ticks")
    gils = [gil_row(spinners, interval_s, seconds) for spinners, interval_s in _GIL]
    return result(heaps, gils, guessed, shown[-2])


def result(
    heaps: Sequence[HeapRow],
    gils: Sequence[GilRow],
    guessed: Sequence[Guess],
    shown: tuple[str, Watched, Sequence[Pause]],
) -> Result:
    """From what was measured."""
    return Result(
        "pauses", "S2.3", SAYS, HOLDS,
        [_article(), _heaps(heaps), _gils(gils), _guesses(guessed)],
        [_chart(*shown)],
        {
            "heaps": [asdict(row) for row in heaps],
            "gil": [asdict(row) for row in gils],
            "inference": [asdict(one) for one in guessed],
        },
    )  # fmt: skip


def _article() -> Table:
    rows: list[list[Cell]] = [
        [f"{ms:g}", seen, theory, seen - theory, f"{(seen - theory) / ms / 1e3:.2f}"]
        for ms, seen, theory in ARTICLE
    ]
    header = ("stop, ms", "observed, ns", "its theory, ns", "residual, ns", "residual, us per ms")
    return Table("S2.3: the article's own figures", header, rows)


def _heaps(heaps: Sequence[HeapRow]) -> Table:
    header = (
        "containers", "gc pause p50, ms", "max", "tick late p50, ms", "max",
        "pause less lateness, ms", "clock error max, ns", "readings good to, ns",
        "read around it, less the pause, us",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            f"{row.containers:,}", f"{row.pause_ms.p50:.2f}", f"{row.pause_ms.max:.2f}",
            f"{row.late_ms.p50:.2f}", f"{row.late_ms.max:.2f}", f"{row.missing_ms:.2f}",
            f"{max(abs(row.clock_error_ns.min), row.clock_error_ns.max):.0f}",
            f"{row.bracket_ns:.0f}", f"{row.around_us:.1f}",
        ]
        for row in heaps
    ]  # fmt: skip
    return Table("Full collections: the pause is the lateness, and no clock errs", header, rows)


def _gils(gils: Sequence[GilRow]) -> Table:
    rows: list[list[Cell]] = [
        [
            row.spinners, f"{row.switch_interval_ms:g}", f"{row.late_ms.p50:.2f}",
            f"{row.late_ms.p99:.2f}", f"{row.late_ms.max:.2f}",
        ]
        for row in gils
    ]  # fmt: skip
    header = ("busy threads", "switch interval, ms", "late p50, ms", "p99", "max")
    return Table("Ticks each 2 ms beside threads of pure Python", header, rows)


def _guesses(guessed: Sequence[Guess]) -> Table:
    header = (
        "pauses", "read from", "threshold, us", "true", "inferred", "precision", "recall",
        "recall by the rule", "end off by, us",
    )  # fmt: skip
    rows: list[list[Cell]] = [
        [
            one.kind, one.reading, f"{one.limit_us:.0f}", one.score.true, one.score.inferred,
            f"{one.score.precision:.2f}", f"{one.score.recall:.2f}",
            f"{one.score.expected_recall:.2f}", f"{one.score.end_error_us:.0f}",
        ]
        for one in guessed
    ]  # fmt: skip
    return Table(
        f"Pauses inferred from the lateness of ticks each {PERIOD_NS / 1e6:g} ms, scored "
        "against the collector's callbacks", header, rows,
    )  # fmt: skip


def _chart(name: str, watched: Watched, pauses: Sequence[Pause]) -> Chart:
    start_ns = int(watched.due_ns[0])
    late = [
        ((due - start_ns) / 1e6, late / 1e6)
        for due, late in zip(watched.due_ns.tolist(), watched.late_ns.tolist(), strict=True)
    ][:_SHOWN]
    end_ms = late[-1][0]
    drawn = [
        ((pause.begin_ns - start_ns) / 1e6, pause.length_ns / 1e6)
        for pause in pauses
        if (pause.begin_ns - start_ns) / 1e6 <= end_ms
    ]
    return Chart(
        f"A heap of {name}: ticks and pauses", "ms", "ms",
        {"tick late": late, "gc pause": drawn}, points=True,
    )  # fmt: skip
