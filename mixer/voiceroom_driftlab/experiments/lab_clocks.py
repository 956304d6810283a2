"""``clocks``: what reading a clock costs (S2.2, S4.1), and C beside Python (S5.4)."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Final

from voiceroom_driftlab.experiments import agreement, readcost
from voiceroom_driftlab.experiments.agreement import Agreement
from voiceroom_driftlab.experiments.readcost import Cost
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_mixer.edge import node

READS_22: Final = 100_000
READS_41: Final = 10_000_000
READS_QUICK: Final = 200_000
_AGREE: Final = 100_000
_AGREE_ACROSS: Final = 20_000
_ARTICLE_22: Final = {
    "rdtscp + lfence": "32.1 ± 1.7",
    "isb + cntvct_el0": "89.4 ± 12.3",
}
_ARTICLE_41: Final = {
    ("MONOTONIC (vDSO)", "C"): "nanotime: 24.3 ± 3.7, max 156",
    ("MONOTONIC_RAW (system call)", "C"): "HighResTimer: 9.1 ± 0.9, max 22",
}
SAYS: Final = (
    "rdtscp costs 32.1 ns and cntvct_el0 89.4 ns; RAW by system call costs 9.1 ns where nanotime "
    "costs 24.3, never more than 22 in ten million readings; Go and C++ read MONOTONIC with a "
    "deviation of 89 ns."
)
HOLDS: Final = (
    "Go's nanotime is the vDSO's clock_gettime already; past it lies a system call, which is "
    "dearer and not cheaper. RAW and MONOTONIC are the same scaled counter where the clocksource "
    "is tsc. Constant and nonstop TSCs do not follow the CPU's frequency. A worst case of 22 ns "
    "in ten million readings cannot be had on a machine with a timer interrupt; mean and "
    "deviation over so many are those of a few interrupts, so the median and the readings below "
    "1 us are shown beside them. Two languages read the same clock: what differs is when. What "
    "can be proved is order: a reading of C lies between those of Python around it."
)
_HEADER: Final = (
    "clock", "language", "article, ns", "p50", "mean below 1 us", "mean", "std", "min", "p99.9",
    "max",
)  # fmt: skip


def run(quick: bool, progress: Progress) -> Result:
    """Raises ``BuildError`` where no C can be compiled."""
    reads = READS_QUICK if quick else READS_41
    progress(f"S2.2: {READS_22} readings of each clock")
    short = [*readcost.from_c(READS_22), *readcost.from_python(READS_22)]
    progress(f"S4.1: {reads} readings of each clock from C")
    long = list(readcost.from_c(reads))
    progress(f"S4.1: {reads} readings of each clock from Python")
    long += readcost.from_python(reads)
    progress("S5.4: C's readings between Python's")
    agreed = agreements(_AGREE // (10 if quick else 1), _AGREE_ACROSS // (10 if quick else 1))
    return result(short, long, agreed)


def agreements(inside: int, across: int) -> list[Agreement]:
    """In one process and in two."""
    return [agreement.in_process(inside), agreement.across_processes(across)]


def result(short: Sequence[Cost], long: Sequence[Cost], agreed: Sequence[Agreement]) -> Result:
    """From what was measured."""
    facts = node.read_facts()
    return Result(
        "clocks", "S2.2, S4.1, S5.4", SAYS, HOLDS,
        [
            Table(f"S2.2: {short[0].reads:,} readings, ns", _HEADER, _rows(short, _article_22)),
            Table(f"S4.1: {long[0].reads:,} readings, ns", _HEADER, _rows(long, _article_41)),
            _agreed(agreed),
        ],
        [_chart(long)],
        {
            "machine": platform.machine(),
            "node": asdict(facts) | {"tsc_flags": sorted(facts.tsc_flags)},
            "reads_2_2": [asdict(one) for one in short],
            "reads_4_1": [asdict(one) for one in long],
            "agreement_5_4": [asdict(one) for one in agreed],
        },
    )  # fmt: skip


def _article_22(cost: Cost) -> str:
    return _ARTICLE_22.get(cost.clock, "")


def _article_41(cost: Cost) -> str:
    return _ARTICLE_41.get((cost.clock, cost.language), "")


def _rows(costs: Sequence[Cost], article: Callable[[Cost], str]) -> list[list[Cell]]:
    return [
        [
            one.clock, one.language, article(one), f"{one.p50_ns:.0f}",
            f"{one.quiet_mean_ns:.1f}" if one.quiet_mean_ns else "none",
            f"{one.mean_ns:.1f}", f"{one.std_ns:.0f}", f"{one.min_ns:.0f}",
            f"{one.p999_ns:.0f}" if one.p999_ns < readcost.CAP_NS else "over 4,000",
            f"{one.max_ns:,.0f}",
        ]
        for one in costs
    ]  # fmt: skip


def _agreed(agreed: Sequence[Agreement]) -> Table:
    header = ("where", "samples", "out of order", "bracket p50, ns", "p99", "max",
              "offset std, ns", "article")  # fmt: skip
    rows: list[list[Cell]] = [
        [
            one.where, one.bracket_ns.count, one.outside, f"{one.bracket_ns.p50:.0f}",
            f"{one.bracket_ns.p99:.0f}", f"{one.bracket_ns.max:,.0f}", f"{one.offset_ns.std:.0f}",
            "max 327, std 89",
        ]
        for one in agreed
    ]  # fmt: skip
    return Table("S5.4: C's reading of MONOTONIC between two of Python's", header, rows)


def _chart(costs: Sequence[Cost]) -> Chart:
    lines = {
        name: [(float(n), max(1.0, float(value))) for n, value in enumerate(values)]
        for name, values in (
            ("p50", [one.p50_ns for one in costs]),
            ("mean", [one.mean_ns for one in costs]),
            ("p99.9", [one.p999_ns for one in costs]),
            ("max", [one.max_ns for one in costs]),
        )
    }
    ticks = [f"{one.clock}, {one.language}" for one in costs]
    return Chart("What one reading costs", "", "ns", lines, log_y=True, points=True, x_names=ticks)
