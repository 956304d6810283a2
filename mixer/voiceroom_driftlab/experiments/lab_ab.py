"""``ab``: the article's three indicators for each timer backend (S3.3)."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.experiments import backends
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_driftlab.experiments.trace import Trace, indicators

PERIODS_NS: Final = (10 * NS_PER_MS, 20 * NS_PER_MS)
SECONDS: Final = (60.0, 2.0)
_QUANTILES: Final = 200
ARTICLE: Final = (
    ("article: Go 1.19", "1.42", "4.8", "0.023"),
    ("article: Go 1.21.6", "0.97", "2.1", "0.011"),
)
SAYS: Final = (
    "Go 1.20 merges short timers; the patch moves a timer of 10 ms by 0.8 to 1.2 ms and yet "
    "makes the mean deviation 1.42 -> 0.97 ms, the greatest jitter 4.8 -> 2.1 ms and breaks "
    "0.023 -> 0.011 % in 60 s; a Timer that is Reset escapes it."
)
HOLDS: Final = (
    "Nothing of the kind is in Go's sources; NewTimer and AfterFunc use the same heap. What is "
    "there since Go 1.16: the network poller waits in whole milliseconds, rounded up. asyncio "
    "has the same, since its epoll selector rounds the time-out up to a millisecond, and so has "
    "libuv, whose timers count in milliseconds. timerfd and clock_nanosleep wait for the "
    "nanosecond that was asked for, and are late by the wake-up alone. A chain that breaks 60 s "
    "of sound breaks it more often the longer it runs."
)


def run(quick: bool, progress: Progress) -> Result:
    """Each backend at each period, one after the other: side by side they would disturb."""
    traces: list[Trace] = []
    both = [(period_ns, name) for period_ns in PERIODS_NS for name in backends.names()]
    for period_ns, name in both:
        what = f"{name}, {period_ns / 1e6:g} ms: {SECONDS[quick]:g} s"
        progress(what, len(traces) / len(both))
        traces.append(backends.measure(name, period_ns, SECONDS[quick]))
    return result(traces, SECONDS[quick])


def result(traces: Sequence[Trace], seconds: float) -> Result:
    """From what was measured."""
    periods = sorted({trace.period_ns for trace in traces})
    return Result(
        "ab", "S3.3", SAYS, HOLDS,
        [_table(period_ns, traces, seconds) for period_ns in periods],
        [_chart(period_ns, traces) for period_ns in periods],
        {
            "python": platform.python_version(),
            "uvloop": bool(backends.uvloop_factory()),
            "seconds": seconds,
            "rows": [
                {"backend": t.backend, "period_ms": t.period_ns / 1e6, **asdict(indicators(t))}
                for t in traces
            ],
        },
    )  # fmt: skip


def _table(period_ns: int, traces: Sequence[Trace], seconds: float) -> Table:
    rows: list[list[Cell]] = [list(row) for row in ARTICLE]
    for trace in traces:
        if trace.period_ns == period_ns:
            found = indicators(trace)
            rows.append([
                f"{trace.backend}, Python {platform.python_version()}",
                f"{found.mean_deviation_ms:.2f}", f"{found.max_jitter_ms:.1f}",
                f"{100 * found.break_rate:.3f}",
            ])  # fmt: skip
    header = ("timer", "mean deviation, ms", "max jitter, ms", "breaks, % of frames")
    return Table(f"S3.3: frames of {period_ns / 1e6:g} ms, {seconds:g} s each", header, rows)


def _chart(period_ns: int, traces: Sequence[Trace]) -> Chart:
    """The share of frames that deviate by more: what a mean hides."""
    lines = {}
    for trace in traces:
        if trace.period_ns == period_ns:
            sorted_us = sorted(abs(int(one)) / 1e3 for one in trace.deviation_ns)
            step = max(1, len(sorted_us) // _QUANTILES)
            count = len(sorted_us)
            lines[trace.backend] = [
                (100.0 * n / count, sorted_us[n]) for n in range(0, count, step)
            ] + [(100.0, sorted_us[-1])]
    return Chart(
        f"Deviation of frames of {period_ns / 1e6:g} ms", "% of frames at most", "us", lines,
        log_y=True,
    )  # fmt: skip
