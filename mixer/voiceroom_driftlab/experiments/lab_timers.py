"""``timers``: what each way to wait for a frame adds up to, and how that sounds (S2.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.experiments import backends, sound
from voiceroom_driftlab.experiments.result import Cell, Chart, Progress, Result, Table
from voiceroom_driftlab.experiments.sound import Tone
from voiceroom_driftlab.experiments.spread import Growth, Spread, growth, spread
from voiceroom_driftlab.experiments.trace import Trace, breaks, sum_over_hundred_ns

PERIOD_NS: Final = 10 * NS_PER_MS
_SECONDS: Final = (20.0, 1.5)
_SLACK_FRAMES: Final = 2
"""What the sink that hears it holds."""
_GROWS: Final = 0.8
"""The share of its variance that a line explains."""
_DRAWN: Final = 1_000
_DEGREES_PER_MS: Final = 360.0
"""Of a tone of 1 kHz."""
SAYS: Final = (
    "A frame of 10 ms by recursive AfterFunc is 2.3 us late each, 230 us in a hundred frames; "
    "and 3.2 ms in a hundred frames, measured; and the drift grows quadratically; it is heard as "
    "phase shift, distortion in the treble and clicks. 1024 samples at 48 kHz are 21.33 us."
)
HOLDS: Final = (
    "Of the three statements the first can be right: each frame is late once, so the sum grows "
    "by a line (the steps of the second half are as long as those of the first; of a parabola "
    "they were three times as long). A deadline of the grid keeps no debt: lateness is that of "
    "one frame, for ever. 1024 samples are 21.33 ms; one sample is 20.83 us. A sound that is "
    "late is not distorted: a mix that follows its sample counter keeps the phase of everything "
    "in it, and what is heard is the gap each time that the listener's buffer has run dry, with "
    "a click at its edges."
)


@dataclass(frozen=True, slots=True)
class Backend:
    """One way to wait, measured."""

    name: str
    frames: int
    late_us: Spread
    growth: Growth
    hundred_us: float
    tone: Tone
    breaks: int

    @property
    def phase_degrees(self) -> float:
        """Of 1 kHz after a hundred frames, between a stream paced so and one on the grid."""
        return self.hundred_us / 1e3 * _DEGREES_PER_MS


def measured(trace: Trace) -> Backend:
    """Everything about one trace of at least four ticks."""
    late_ns = trace.late_ns
    slack_ns = _SLACK_FRAMES * trace.period_ns
    heard = sound.played(late_ns, trace.period_ns, slack_ns)
    return Backend(
        trace.backend, len(late_ns), spread(late_ns / 1e3), growth(late_ns / 1e3),
        sum_over_hundred_ns(late_ns) / 1e3, sound.analyse(heard), breaks(late_ns, slack_ns),
    )  # fmt: skip


def run(quick: bool, progress: Progress) -> Result:
    """One backend after the other."""
    traces: list[Trace] = []
    names = backends.names()
    for name in names:
        progress(f"{name}: {_SECONDS[quick]:g} s", len(traces) / len(names))
        traces.append(backends.measure(name, PERIOD_NS, _SECONDS[quick]))
    return result(traces)


def result(traces: Sequence[Trace]) -> Result:
    """From what was measured."""
    rows = [measured(trace) for trace in traces]
    return Result(
        "timers", "S2.5", SAYS, HOLDS, [_times(rows), _sounds(rows)], [_chart(traces)],
        {"period_ms": PERIOD_NS / 1e6, "backends": [asdict(row) for row in rows]},
    )  # fmt: skip


def _times(rows: Sequence[Backend]) -> Table:
    header = (
        "timer", "frames", "us per frame", "after 100 frames, us", "late p50, us", "max",
        "line R²", "parabola R²", "step of 2nd half : 1st",
    )  # fmt: skip
    article: list[Cell] = ["article: AfterFunc chain", 100, "2.3", "230 and 3,200", "", "", "",
                           "\"quadratically\"", ""]  # fmt: skip
    ours: list[list[Cell]] = [
        [
            row.name, row.frames, f"{row.growth.per_step:.2f}", f"{row.hundred_us:,.0f}",
            f"{row.late_us.p50:,.0f}", f"{row.late_us.max:,.0f}", f"{row.growth.linear_r2:.4f}",
            f"{row.growth.quadratic_r2:.4f}", _halves(row),
        ]
        for row in rows
    ]  # fmt: skip
    return Table(
        f"S2.5: frames of {PERIOD_NS / 1e6:g} ms against the grid", header, [article, *ours]
    )


def _halves(row: Backend) -> str:
    """Only of a sum that grows."""
    grows = row.growth.linear_r2 > _GROWS and isfinite(row.growth.halves)
    return f"{row.growth.halves:.2f}" if grows else "does not grow"


def _sounds(rows: Sequence[Backend]) -> Table:
    header = (
        "timer", "phase of 1 kHz after 100 frames, degrees", "gaps", "silent, ms", "clicks",
        "above 4 kHz, dB",
    )  # fmt: skip
    cells: list[list[Cell]] = [
        [
            row.name, f"{row.phase_degrees:,.0f}", row.breaks, f"{row.tone.silent_ms:.1f}",
            row.tone.clicks, f"{row.tone.high_db:.0f}",
        ]
        for row in rows
    ]  # fmt: skip
    return Table(
        f"A tone of {sound.TONE_HZ:g} Hz sent at these times, as a sink of {_SLACK_FRAMES} frames "
        "plays it", header, cells,
    )  # fmt: skip


def _chart(traces: Sequence[Trace]) -> Chart:
    lines = {
        trace.backend: [(float(n), late / 1e3) for n, late in enumerate(trace.late_ns[:_DRAWN])]
        for trace in traces
    }
    return Chart("How late each frame is", "frame", "us", lines, log_y=True, points=True)
