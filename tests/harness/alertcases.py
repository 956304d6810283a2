"""What each alert fires for and what it does not, as series of what Prometheus scrapes.

A value for each scrape, 15 s apart, goes round: ``(1, 0)`` is 1 and 0 in turn. Of counters it is
what they grow by.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, cycle, islice
from typing import Final

from voiceroom_api import names
from voiceroom_api.thresholds import PROFILES

SCRAPE_S: Final = 15
BEFORE: Final = 24
DURING: Final = 48
AFTER: Final = 136
"""Scrapes while all is well, while it is not, and when it is well again."""
Round = tuple[float | None, ...]
"""None = nothing is scraped."""
NEVER: Final[Round] = (None,)
MIXER: Final = 'namespace="ana",pool="default",pod="mixer-1",node="node-1"'
TARGET: Final = f'{MIXER},job="mixers",instance="10.0.0.1:9464"'
SECOND: Final = TARGET.replace("mixer-1", "mixer-2").replace("10.0.0.1", "10.0.0.2")
ELSEWHERE: Final = SECOND.replace("node-1", "node-2")
OPERATOR: Final = 'namespace="voiceroom",pod="operator-1",job="operator",instance="10.0.0.9:8080"'
POOL: Final = 'namespace="ana",pool="default"'
TICKS: Final = 750.0
"""Of 20 ms between two scrapes."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series: ``well`` before and after, ``ill`` in between."""

    name: str
    labels: str
    well: Round
    ill: Round

    def values(self) -> list[float | None]:
        """As Prometheus scrapes them; counters add up."""
        parts = ((self.well, BEFORE), (self.ill, DURING), (self.well, AFTER))
        flat = [value for part, size in parts for value in islice(cycle(part), size)]
        if not self.name.endswith(("_total", "_bucket")):
            return flat
        counted: list[float | None] = list(accumulate(value or 0.0 for value in flat))
        return counted


@dataclass(frozen=True, slots=True)
class Case:
    """``ill`` makes the alert fire with ``labels``, and ``near`` does not."""

    alert: str
    labels: str
    ill: tuple[Series, ...]
    near: tuple[tuple[Series, ...], ...]
    within_s: int = (DURING - 1) * SCRAPE_S
    """It fires so long after the first bad scrape."""


PROMPT_S: Final = 75
"""What timing alerts are given of the 120 s: the first bad scrape may be 15 s after the fault."""


def _serves(target: str = TARGET) -> Series:
    """All the time, by what its control process says of itself."""
    return Series("voiceroom_ready", target, (1,), (1,))


def _lateness(well: Round, *ill: Round) -> tuple[Series, ...]:
    """Ticks up to 5, 20 and 50 ms, and all."""
    edges = ("0.005", "0.02", "0.05", "+Inf")
    name = "voiceroom_tick_lateness_seconds_bucket"
    labels = (f'{TARGET},side="late",le="{edge}"' for edge in edges)
    buckets = (Series(name, at, well, bad) for at, bad in zip(labels, ill, strict=True))
    return (*buckets, _serves())


def _of_profile(bad_ms: float, leads: float = 1) -> tuple[Series, ...]:
    """p99 at 17 ms in a pool whose profile allows so much."""
    limit_s = bad_ms / 1000
    of_operator = 'job="operator",instance="10.0.0.9:8080"'
    name = "voiceroom_operator_pool_lateness_limit_seconds"
    return (
        *_lateness((TICKS,), (700,), (750,), (750,), (750,)),
        Series(name, f"{POOL},{of_operator}", (limit_s,), (limit_s,)),
        Series("voiceroom_operator_leader", OPERATOR, (leads,), (leads,)),
    )


def ticks(mixed: Round, skipped: Round, late: Round) -> tuple[Series, ...]:
    """Of a pod in service."""
    return (
        Series("voiceroom_ticks_total", TARGET, (TICKS,), mixed),
        Series("voiceroom_ticks_skipped_total", TARGET, (0,), skipped),
        Series("voiceroom_ticks_late_total", TARGET, (0,), late),
        _serves(),
    )


def _up(up: Round, ready: Round, before: Round = (1,)) -> tuple[Series, ...]:
    spoke = Series("voiceroom_ready", TARGET, before, ready)
    return (Series("up", TARGET, (1,), up), spoke)


def _cause(cause: str, ill: Round, target: str = TARGET) -> tuple[Series, ...]:
    said = Series("voiceroom_drift_cause", f'{target},cause="{cause}"', (0,), ill)
    return (said, _serves(target))


def _starts(cause: str) -> tuple[Series, ...]:
    """A pod whose first minute is bad, as it is where two that start share a CPU."""
    late = (*(1.0,) * 4, *(0.0,) * (DURING - 4))
    said = Series("voiceroom_drift_cause", f'{TARGET},cause="{cause}"', NEVER, late)
    return (said, Series("voiceroom_ready", TARGET, NEVER, (1,)))


def _faults(cause: str, ill: Round) -> tuple[Series, ...]:
    return (Series("voiceroom_drift_faults_total", f'{TARGET},cause="{cause}"', (0,), ill),)


def _every(scrapes: int) -> Round:
    """One in so many scrapes."""
    return (1.0, *(0.0,) * (scrapes - 1))


SELDOM: Final = _every(4)
_TIMING: Final = (
    Case(
        "VoiceroomTicksLate",
        MIXER,
        _lateness((TICKS,), (700,), (700,), (750,), (750,)),
        (_lateness((TICKS,), (746,), (746,), (750,), (750,)),),
        PROMPT_S,
    ),
    Case(
        "VoiceroomTicksLate",
        MIXER,
        _lateness((TICKS,), (300,), (750,), (750,), (750,)),
        (_lateness((TICKS,), (700,), (750,), (750,), (750,)),),
        PROMPT_S,
    ),
    Case(
        "VoiceroomTicksLate",
        MIXER,
        _of_profile(PROFILES["bareMetal"].bad_ms),
        (_of_profile(PROFILES["vm"].bad_ms), _of_profile(PROFILES["bareMetal"].bad_ms, leads=0)),
        PROMPT_S,
    ),
    Case(
        "VoiceroomTicksLost",
        MIXER,
        ticks((690,), (60,), (0,)),
        (ticks((735,), (15,), (0,)), ticks((TICKS,), (0,), (20,))),
        PROMPT_S,
    ),
    Case("VoiceroomTicksLost", MIXER, ticks((TICKS,), (0,), (60,)), (), PROMPT_S),
    Case(
        "VoiceroomTicksStopped",
        MIXER,
        ticks((0,), (0,), (0,)),
        (ticks((100,), (0,), (0,)), ticks((0,), (0,), (0,))[:1]),
        PROMPT_S,
    ),
    Case(
        "VoiceroomMixerSilent",
        MIXER,
        _up((0,), NEVER),
        (_up((0, 1, 1, 1), (None, 1, 1, 1)), _up((0,), NEVER, NEVER)),
        PROMPT_S,
    ),
)
NAMED: Final = {
    names.RATE: "VoiceroomClockRate",
    names.FREEZE: "VoiceroomFrozen",
    names.THROTTLE: "VoiceroomThrottled",
    names.STARVED: "VoiceroomStarved",
    names.GC: "VoiceroomGarbageCollection",
    names.GIL: "VoiceroomInterpreterHeld",
    names.LOOP_BLOCK: "VoiceroomLoopBlocked",
    names.OVERLOAD: "VoiceroomOverloaded",
}
_CAUSES: Final = tuple(
    Case(
        alert,
        f'{MIXER},cause="{cause}"',
        _cause(cause, (1,)),
        (_cause(cause, SELDOM), _starts(cause)),
        PROMPT_S,
    )
    for cause, alert in NAMED.items()
)
_CLOCKS: Final = (
    Case(
        "VoiceroomClockStep",
        f'{MIXER},cause="step-one"',
        _faults("step-one", _every(10)),
        (_faults("gc", (1,)),),
    ),
    Case(
        "VoiceroomClockStepsRepeat",
        f'{MIXER},cause="step-all"',
        _faults("step-all", _every(4)),
        (_faults("step-all", _every(10)),),
    ),
    Case(
        "VoiceroomNodeClockBad",
        'node="node-1"',
        _cause("starved", (1,)) + _cause("rate", (1,), SECOND),
        (
            _cause("starved", (1,)),
            _cause("starved", (1,)) + _cause("starved", (1,), ELSEWHERE),
            _cause("gc", (1,)) + _cause("gc", (1,), SECOND),
        ),
        PROMPT_S,
    ),
    Case(
        "VoiceroomNodeUnfit",
        'node="node-1",reason="clock source hpet"',
        (
            Series(
                "voiceroom_node_grade_info",
                f'{TARGET},grade="C",reason="clock source hpet"',
                NEVER,
                (1,),
            ),
        ),
        ((Series("voiceroom_node_grade_info", f'{TARGET},grade="B",reason="b"', NEVER, (1,)),),),
    ),
)
TIMING: Final[tuple[Case, ...]] = (*_TIMING, *_CAUSES, *_CLOCKS)
