"""What one reading of each clock costs: from C, and from Python."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.experiments import compiled
from voiceroom_mixer.edge import clock, selftest
from voiceroom_mixer.edge.hires import HighResTimer

_BINS: Final = 4096
CAP_NS: Final = _BINS - 1
"""What is dearer is only known to be."""
_COUNTERS: Final = {
    "x86_64": ("rdtsc", "rdtscp + lfence"),
    "aarch64": ("cntvct_el0", "isb + cntvct_el0"),
}
_CLOCK_IDS: Final = {
    "MONOTONIC": clock.CLOCK_MONOTONIC,
    "MONOTONIC_RAW": clock.CLOCK_MONOTONIC_RAW,
    "BOOTTIME": clock.CLOCK_BOOTTIME,
    "REALTIME": clock.CLOCK_REALTIME,
}
_QUIET_NS: Final = 1_000
_DEAR: Final = 1_000_000
"""Readings of Python's system call, at over a microsecond each."""
_CALIBRATE_NS: Final = 50 * NS_PER_MS


class _Result(ctypes.Structure):
    _fields_ = (
        ("mean", ctypes.c_double),
        ("std", ctypes.c_double),
        ("min", ctypes.c_double),
        ("max", ctypes.c_double),
        ("bins", ctypes.c_uint64 * _BINS),
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one reading, loop included, in ns."""

    clock: str
    language: str
    reads: int
    mean_ns: float
    std_ns: float
    min_ns: float
    p50_ns: float
    p999_ns: float
    quiet_mean_ns: float
    """Of the readings below 1 us: what is left when the machine was not taken away meanwhile."""
    max_ns: float


def from_c(reads: int) -> Iterator[Cost]:
    """The processor's counter, then each clock by the vDSO, then MONOTONIC and RAW by the kernel.

    Raises ``BuildError`` where nothing can be compiled.
    """
    library = compiled.library()
    if library.vr_lab_counters():
        scale = counter_ns()
        for which, name in enumerate(_COUNTERS[platform.machine()]):
            yield _cost(name, which, reads, scale)
    for name, number in _CLOCK_IDS.items():
        yield _cost(f"{name} (vDSO)", 2 + 2 * number, reads, 1.0)
    for name in ("MONOTONIC", "MONOTONIC_RAW"):
        yield _cost(f"{name} (system call)", 3 + 2 * _CLOCK_IDS[name], reads, 1.0)


def _cost(name: str, which: int, reads: int, scale: float) -> Cost:
    result = _Result()
    read_cost = compiled.library().vr_lab_read_cost
    read_cost.argtypes = (ctypes.c_int, ctypes.c_uint64, ctypes.POINTER(_Result))
    read_cost(which, reads, ctypes.byref(result))
    bins = np.frombuffer(result.bins, np.uint64)
    return Cost(
        name, "C", reads, result.mean * scale, result.std * scale, result.min * scale,
        quantile(bins, 0.5) * scale, quantile(bins, 0.999) * scale,
        mean_below(bins, round(_QUIET_NS / scale)) * scale, result.max * scale,
    )  # fmt: skip


def quantile(bins: NDArray[np.uint64], share: float) -> int:
    """The bin in which so much of all has been seen."""
    seen = np.cumsum(bins)
    return int(np.searchsorted(seen, share * int(seen[-1])))


def mean_below(bins: NDArray[np.uint64], limit: int) -> float:
    """Of what lies in the bins before ``limit``; 0 when nothing does."""
    near = bins[:limit].astype(np.float64)
    seen = float(near.sum())
    return float((near * np.arange(len(near))).sum()) / seen if seen else 0.0


def counter_ns() -> float:
    """How long one tick of the processor's counter is, against RAW over 50 ms."""
    library = compiled.library()
    if hz := _hz(library):
        return NS_PER_S / hz
    first = _pair(library)
    clock.sleep_until(clock.monotonic_ns() + _CALIBRATE_NS)
    second = _pair(library)
    return (second[1] - first[1]) / (second[0] - first[0])


def _hz(library: ctypes.PyDLL) -> int:
    library.vr_lab_counter_hz.restype = ctypes.c_uint64
    return int(library.vr_lab_counter_hz())


def _pair(library: ctypes.PyDLL) -> tuple[int, int]:
    ticks, raw_ns = ctypes.c_uint64(), ctypes.c_uint64()
    library.vr_lab_counter_pair(ctypes.byref(ticks), ctypes.byref(raw_ns))
    return ticks.value, raw_ns.value


def from_python(reads: int) -> Iterator[Cost]:
    """The mixer's own readings: each clock, its timer that maps to RAW, and past the vDSO."""
    for name, read in selftest.CLOCKS.items():
        yield _python(name, read, reads)
    yield _python("HighResTimer.now_ns", HighResTimer().now_ns, reads)
    if clock.has_syscall_clock():
        yield _python("monotonic (system call)", clock.syscall_monotonic_ns, min(reads, _DEAR))


_CHUNK: Final = 100_000


def _python(name: str, read: clock.Clock, reads: int) -> Cost:
    """In chunks, which are folded into sums and bins: ten million integers would be 400 MB."""
    bins = np.zeros(_BINS, np.uint64)
    total, squares, least, most, done = 0.0, 0.0, 2**62, 0, 0
    while done < reads:
        size = min(_CHUNK, reads - done)
        read_at = np.fromiter(iter(read, -1), np.int64, size + 1)
        deltas = np.diff(read_at)
        bins += np.bincount(np.minimum(deltas, _BINS - 1), minlength=_BINS).astype(np.uint64)
        total += float(deltas.sum())
        squares += float((deltas.astype(np.float64) ** 2).sum())
        least, most = min(least, int(deltas.min())), max(most, int(deltas.max()))
        done += size
    mean = total / done
    return Cost(
        name, "Python", done, mean, float(np.sqrt(max(0.0, squares / done - mean**2))), least,
        quantile(bins, 0.5), quantile(bins, 0.999), mean_below(bins, _QUIET_NS), most,
    )  # fmt: skip
