"""All clocks in one bracket, each of them read by the vDSO and by system call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from voiceroom_mixer.core.timing.detect.observations import ClockRound
from voiceroom_mixer.edge import clock


def round_reader() -> Callable[[], ClockRound]:
    """What takes a round here: with the kernel's own word where it can be had (about 4 µs)."""
    return _with_truth if clock.has_syscall_clock() else _without


_kernel_monotonic = clock.syscall_monotonic_ns
_kernel_raw = clock.syscall_raw_ns
_kernel_boottime = partial(clock.syscall_ns, clock.CLOCK_BOOTTIME)


def _with_truth() -> ClockRound:
    before = clock.monotonic_ns()
    raw = clock.raw_ns()
    boot = clock.boottime_ns()
    kernel_mono = _kernel_monotonic()
    kernel_raw = _kernel_raw()
    kernel_boot = _kernel_boottime()
    after = clock.monotonic_ns()
    middle = (before + after) // 2
    kernel = (kernel_mono - middle, kernel_raw - middle, kernel_boot - middle)
    return ClockRound(middle, after - before, raw - middle, boot - middle, kernel)


def _without() -> ClockRound:
    before = clock.monotonic_ns()
    raw = clock.raw_ns()
    boot = clock.boottime_ns()
    after = clock.monotonic_ns()
    middle = (before + after) // 2
    return ClockRound(middle, after - before, raw - middle, boot - middle, None)
