"""``heap``: which timers misfire when the clock steps (S2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import numpy as np

from voiceroom_driftlab.experiments.misfires import (
    HEAPS,
    Misfires,
    Reading,
    play,
    stepping,
    wandering,
)
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table

START_NS: Final = 1_000_000
DEADLINES: Final = (999_990, 1_000_000, 1_000_003, 1_000_050, 1_000_100, 1_000_101)
"""The article names 1000003; the others lie around what it steps over."""
_AFTER: Final = 120
SEQUENCES: Final = (
    ("[1000000, 999995]", "2", stepping(START_NS, -5, 0, _AFTER)),
    ("[1000000, 1000100], a step", "0", stepping(START_NS, 100, 0, _AFTER)),
    ("[1000000, 1000100], 100 ns passed", "0", stepping(START_NS, 100, 100, _AFTER)),
)
_LOOKS: Final = (100_000, 2_000)
_TIMERS: Final = (2_000, 200)
SAYS: Final = (
    "NTP steps System.nanoTime. Readings [1000000, 999995] (5 us back) misfire 2 timers, [1000000, "
    "1000100] misfire none; a timer for 1000003 fires at once when the clock goes back to 1000000."
)
HOLDS: Final = (
    "The other way round. Backwards `expiration <= now` becomes false: timers are late by the step "
    "and none is early; 1000003 is not due at 1000000. Forwards by J, exactly the timers in (now, "
    "now + J] fire at once, and they and all later ones are early unless J has really passed. 5 "
    "ns, not us. Nothing fires twice where what fires is taken out, which the article's loop does "
    "not do. NTP slews monotonic clocks and steps the wall clock alone. No heap can know that a "
    "forward step was wrong: ours clamps and counts what goes back, and the mixer's clocks are "
    "compared with each other and with what the kernel's sleeps really took."
)
_HEADER: Final = (
    "readings", "heap", "article: misfires", "fired at the step", "early", "late", "fired again",
    "never",
)  # fmt: skip


def run(quick: bool, seed: int, progress: Progress) -> Result:
    """Both sequences, then a clock that steps either way at random."""
    rows = [
        (name, heap, claimed, play(make, DEADLINES, readings))
        for name, claimed, readings in SEQUENCES
        for heap, make in HEAPS.items()
    ]
    progress("a clock that steps at random")
    draw = np.random.default_rng(seed)
    readings = wandering(draw, START_NS, _LOOKS[quick])
    spread = draw.choice(readings[-2].true_ns - START_NS, _TIMERS[quick], replace=False)
    deadlines = sorted(START_NS + int(one) for one in spread)
    for heap, make in list(HEAPS.items())[1:]:
        rows.append(("random steps of ±50 us", heap, "", play(make, deadlines, readings)))
    return _result(rows, readings, seed)


def _result(
    rows: Sequence[tuple[str, str, str, Misfires]], readings: Sequence[Reading], seed: int
) -> Result:
    return Result(
        "heap", "S2.4", SAYS, HOLDS,
        [Table(f"S2.4: timers {', '.join(map(str, DEADLINES))}", _HEADER, [_row(r) for r in rows])],
        [_chart(readings)],
        {
            "seed": seed,
            "rows": [
                {"readings": name, "heap": heap, "claimed": claimed, **asdict(counts)}
                for name, heap, claimed, counts in rows
            ],
        },
    )  # fmt: skip


def _row(row: tuple[str, str, str, Misfires]) -> list[Cell]:
    name, heap, claimed, it = row
    return [name, heap, claimed, it.at_step, it.early, it.late, it.repeated, it.never]


def _chart(readings: Sequence[Reading]) -> Chart:
    """The start of the random walk, as the clock shows it and as the clamp lets it through."""
    first = readings[:400]
    clamped = np.maximum.accumulate([one.shown_ns for one in first])
    x = [(one.true_ns - START_NS) / 1e3 for one in first]
    read = [(one.shown_ns - one.true_ns) / 1e3 for one in first]
    kept = [(int(c) - one.true_ns) / 1e3 for c, one in zip(clamped, first, strict=True)]
    return Chart(
        "A clock that steps, and what TimerHeap goes by", "us that passed", "us ahead",
        {
            "as read": list(zip(x, read, strict=True)),
            "clamped": list(zip(x, kept, strict=True)),
        },
    )  # fmt: skip
