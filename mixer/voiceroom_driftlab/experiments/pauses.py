"""Garbage collection and the GIL: a pause makes ticks late by what is left of it, and no clock
wrong (S2.3)."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments.spread import Spread, robust_limit, spread
from voiceroom_driftlab.experiments.stalls import Inference, Pause, infer, score
from voiceroom_driftlab.experiments.watched import Watched, collections_seen, watch
from voiceroom_mixer.edge import clock

PERIOD_NS: Final = 2 * NS_PER_MS
_LEAST_LIMIT_NS: Final = 300_000
_SIGMAS: Final = 8.0
_REST_MS: Final = (10.0, 30.0)


@dataclass(frozen=True, slots=True)
class HeapRow:
    """Full collections of one heap."""

    containers: int
    pause_ms: Spread
    late_ms: Spread
    """Of the worst tick in each pause that held one."""
    missing_ms: float
    """The pause after that tick's deadline, less how late it was; 0 where pause = lateness."""
    clock_error_ns: Spread
    """How far MONOTONIC and RAW moved against each other across each pause."""
    bracket_ns: float
    """What these readings may be off by, on average."""
    around_us: float
    """The article's own figure: a clock read before and after, less the pause."""


@dataclass(frozen=True, slots=True)
class GilRow:
    """Ticks beside a thread that never lets go of the GIL by itself."""

    switch_interval_ms: float
    spinners: int
    late_ms: Spread


@dataclass(frozen=True, slots=True)
class Guess:
    """Pauses inferred from one reading of the lateness trace."""

    kind: str
    reading: str
    limit_us: float
    score: Inference


def heap_row(containers: int, times: int, seed: int) -> tuple[HeapRow, Watched, list[Pause]]:
    """Collect a heap of so many containers ``times`` times, at random moments."""
    probes: list[_Probe] = []
    rests = _rests(times, seed)
    with collections_seen() as pauses:
        ballast = [[number] for number in range(containers)]
        watched = watch(PERIOD_NS, lambda: _collect(rests, probes))
        ballast.clear()
    late, missing = lateness_in(pauses, watched)
    taken = [probe.taken_ns - pause.length_ns for probe, pause in zip(probes, pauses, strict=True)]
    return HeapRow(
        containers, spread([p.length_ns / 1e6 for p in pauses]), spread(late), missing,
        spread([probe.error_ns for probe in probes]),
        float(np.mean([probe.width_ns for probe in probes])), float(np.mean(taken)) / 1e3,
    ), watched, pauses  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Probe:
    """Clocks around one collection."""

    taken_ns: int
    error_ns: int
    width_ns: int


def _collect(rests: Sequence[float], probes: list[_Probe]) -> None:
    for rest_ms in rests:
        clock.sleep_until(clock.monotonic_ns() + int(rest_ms * NS_PER_MS))
        before = clock.sample()
        began_ns = clock.monotonic_ns()
        gc.collect()
        taken_ns = clock.monotonic_ns() - began_ns
        after = clock.sample()
        moved_ns = (after.raw - after.mono) - (before.raw - before.mono)
        probes.append(_Probe(taken_ns, moved_ns, before.width + after.width))


def _rests(times: int, seed: int) -> list[float]:
    rests: list[float] = np.random.default_rng(seed).uniform(*_REST_MS, times).tolist()
    return rests


def lateness_in(pauses: Sequence[Pause], watched: Watched) -> tuple[list[float], float]:
    """In ms: the first tick due in each pause, and what pauses have more than those are late."""
    late, missing = [0.0], [0.0]
    for pause in pauses:
        index = int(watched.due_ns.searchsorted(pause.begin_ns))
        if index < len(watched.due_ns) and watched.due_ns[index] < pause.end_ns:
            late.append(float(watched.late_ns[index]) / 1e6)
            missing.append((pause.end_ns - int(watched.due_ns[index])) / 1e6 - late[-1])
    if len(late) > 1:
        late, missing = late[1:], missing[1:]
    return late, float(np.median(missing))


def hold_gil(times: int, seed: int) -> tuple[Watched, list[Pause]]:
    """One call into C that keeps the GIL for 5 to 20 ms, at random moments."""
    sizes = np.random.default_rng(seed + 1).uniform(0.3, 1.5, times) * 1e6
    pauses: list[Pause] = []

    def work() -> None:
        for rest_ms, size in zip(_rests(times, seed), sizes, strict=True):
            clock.sleep_until(clock.monotonic_ns() + int(rest_ms * NS_PER_MS))
            began_ns = clock.monotonic_ns()
            sum(range(int(size)))
            pauses.append(Pause(began_ns, clock.monotonic_ns()))

    return watch(PERIOD_NS, work), pauses


def gil_row(spinners: int, switch_interval_s: float, seconds: float) -> GilRow:
    """Ticks beside so many threads of pure Python."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(switch_interval_s)
    try:
        with _spinning(spinners):
            watched = watch(PERIOD_NS, lambda: _rest(seconds))
    finally:
        sys.setswitchinterval(before_s)
    return GilRow(switch_interval_s * 1e3, spinners, spread(watched.late_ns / 1e6))


def _rest(seconds: float) -> None:
    clock.sleep_until(clock.monotonic_ns() + int(seconds * NS_PER_S))


@contextmanager
def _spinning(count: int) -> Iterator[None]:
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            for _ in range(1_000):
                pass

    threads = [threading.Thread(target=spin, name="spinner") for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def guesses(kind: str, watched: Watched, pauses: Sequence[Pause]) -> Iterator[Guess]:
    """From the lateness alone, and from what of it was no wait for a CPU."""
    for reading, own_late_ns in (
        ("lateness", watched.late_ns),
        ("lateness less the wait for a CPU", watched.own_late_ns),
    ):
        limit_ns = max(_LEAST_LIMIT_NS, robust_limit(own_late_ns, _SIGMAS))
        found = infer(watched.due_ns, watched.late_ns, own_late_ns, limit_ns)
        scored = score(found, pauses, watched.due_ns, PERIOD_NS, limit_ns)
        yield Guess(kind, reading, limit_ns / 1e3, scored)
