"""Where RTP timestamps come from: a clock that is read when the frame is there, or a count of
samples (S5.1)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_api.units import NS_PER_MS, SAMPLES_PER_MS
from voiceroom_driftlab.experiments.spread import Spread, spread
from voiceroom_mixer.edge import clock

Nanoseconds = NDArray[np.int64]
_REALTIME_COARSE: Final = 5
"""The clock of the kernel's tick (time(7)): it moves once a jiffy."""


@dataclass(frozen=True, slots=True)
class Stamps:
    """One sender's frames: the readings at the moments at which they were made, ns."""

    frame_ns: int
    wall_ns: Nanoseconds
    coarse_ns: Nanoseconds
    """Empty where the kernel cannot be asked."""


def record(frame_ns: int, count: int) -> Stamps:
    """Make ``count`` frames on an absolute grid and read the clocks at each."""
    wall, coarse = np.zeros(count, np.int64), np.zeros(count, np.int64)
    asks = clock.has_syscall_clock()
    start_ns = clock.monotonic_ns() + frame_ns
    for n in range(count):
        clock.sleep_until(start_ns + n * frame_ns)
        wall[n] = clock.wall_ns()
        coarse[n] = clock.syscall_ns(_REALTIME_COARSE) if asks else 0
    return Stamps(frame_ns, wall, coarse if asks else coarse[:0])


@contextmanager
def spinning(threads: int) -> Iterator[None]:
    """So many threads that compute and never wait: a service under load, to its own ticker."""
    over = threading.Event()

    def spin() -> None:
        while not over.is_set():
            sum(range(1_000))

    crew = [threading.Thread(target=spin, daemon=True) for _ in range(threads)]
    for one in crew:
        one.start()
    try:
        yield
    finally:
        over.set()
        for one in crew:
            one.join()


def stepped(wall_ns: Nanoseconds, at: int, step_ns: int) -> Nanoseconds:
    """The same readings, had NTP stepped the wall clock before frame ``at``."""
    moved = wall_ns.copy()
    moved[at:] += step_ns
    return moved


def counted(frame_ns: int, count: int) -> Nanoseconds:
    """A sample counter as time: that of frame n's first sample, whenever the frame is made."""
    samples = np.arange(count, dtype=np.int64) * (frame_ns * SAMPLES_PER_MS // NS_PER_MS)
    return samples * NS_PER_MS // SAMPLES_PER_MS


def errors_ms(stamps_ns: Nanoseconds, frame_ns: int) -> NDArray[np.float64]:
    """By how much each timestamp's distance from the one before misses a frame, ms."""
    return (np.diff(stamps_ns) - frame_ns) / NS_PER_MS


def spread_ms(stamps_ns: Nanoseconds, frame_ns: int) -> Spread:
    """Of ``errors_ms``; its ``std`` is the article's sigma."""
    return spread(errors_ms(stamps_ns, frame_ns))


def backwards(stamps_ns: Nanoseconds) -> int:
    """Timestamps before or at the one that came before them."""
    return int((np.diff(stamps_ns) <= 0).sum())
