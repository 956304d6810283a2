"""THE clock: nothing else in the mixer reads one.

Four readings, each for one purpose:

* ``monotonic_ns`` (CLOCK_MONOTONIC): deadlines and sleeping. NTP may slew it, never steps it. The
  media process asks ``edge.kept`` in its place, which takes off what a reading errs by.
* ``raw_ns`` (CLOCK_MONOTONIC_RAW): rates. Nobody slews it, and the kernel cannot sleep on it.
* ``boottime_ns`` (CLOCK_BOOTTIME): tells a suspended or migrated machine from a busy one.
* ``wall_ns`` (CLOCK_REALTIME): tokens and logs, always read afresh, so that an NTP step counts from
  the next call. RTCP sender reports do not call it: they map the monotonic grid through
  ``core.timing.wall.WallAnchor``, which keeps the slope of the grid and follows a step at the next
  ``ClockSample``, as a counted event and not as jitter.

The ``syscall_*`` readings enter the kernel and so bypass the vDSO: where they disagree with the
others, the reading is wrong and not the time.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from voiceroom_api.units import NS_PER_S

CLOCK_REALTIME: Final = 0
CLOCK_MONOTONIC: Final = 1
CLOCK_MONOTONIC_RAW: Final = 4
CLOCK_BOOTTIME: Final = 7
_TIMER_ABSTIME: Final = 1
_CPU_OF_PROCESS: Final = 2
"""CPUCLOCK_SCHED, in the low bits of a clock id that is a process's."""

_CLOCK_GETTIME_NUMBERS: Final = {"x86_64": 228, "aarch64": 113}
"""SYS_clock_gettime of the 64-bit tables; another architecture has no truth channel."""

Clock = Callable[[], int]
"""Reads one clock: nanoseconds. The type of what is injected everywhere else."""

# Not Final: chaos puts falsified readings in their place (``show``). Who keeps one of these
# functions keeps the one of that moment; ``current_*`` are for them.
monotonic_ns: Clock = time.monotonic_ns
raw_ns: Clock = partial(time.clock_gettime_ns, CLOCK_MONOTONIC_RAW)
boottime_ns: Clock = partial(time.clock_gettime_ns, CLOCK_BOOTTIME)
wall_ns: Final[Clock] = time.time_ns
process_cpu_ns: Final[Clock] = time.process_time_ns
"""CPU time of this process, user and system."""
thread_cpu_ns: Final[Clock] = time.thread_time_ns
"""CPU time of the calling thread."""


def cpu_of_process_ns(pid: int) -> int | None:
    """CPU time of another process (clock_getcpuclockid(3)); None: there is none."""
    try:
        return time.clock_gettime_ns(~pid << 3 | _CPU_OF_PROCESS)
    except OSError:
        return None


UNTOUCHED: Final = (monotonic_ns, raw_ns, boottime_ns)
"""What MONOTONIC, RAW and BOOTTIME read without any injection."""


def current_monotonic_ns() -> int:
    """``monotonic_ns`` as it reads now."""
    return monotonic_ns()


def current_raw_ns() -> int:
    """``raw_ns`` as it reads now."""
    return raw_ns()


def current_boottime_ns() -> int:
    """``boottime_ns`` as it reads now."""
    return boottime_ns()


def show(monotonic: Clock, raw: Clock, boottime: Clock) -> None:
    """Put other readings in the place of these three, for the whole process. Sleeps and the
    ``syscall_*`` readings stay the kernel's."""
    global monotonic_ns, raw_ns, boottime_ns
    monotonic_ns, raw_ns, boottime_ns = monotonic, raw, boottime


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_int64), ("tv_nsec", ctypes.c_int64))


def _declare(function: Any, *argtypes: Any) -> Callable[..., int]:
    function.argtypes = argtypes
    declared: Callable[..., int] = function
    return declared


# A sleep lets go of the GIL; a reading keeps it, since a switch would cost more than the reading.
_nanosleep: Final = _declare(
    ctypes.CDLL(None).clock_nanosleep,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.POINTER(_Timespec),
    ctypes.c_void_p,
)
_syscall: Final = _declare(
    ctypes.PyDLL(None, use_errno=True).syscall,
    ctypes.c_long,
    ctypes.c_long,
    ctypes.POINTER(_Timespec),
)
_SYSCALL_NUMBER: Final = _CLOCK_GETTIME_NUMBERS.get(platform.machine(), -1)


def syscall_ns(clock_id: int) -> int:
    """A clock as the kernel itself tells it, past the vDSO. Raises ``OSError``.

    ENOSYS on an architecture other than x86-64 and aarch64.
    """
    now = _Timespec()
    if _syscall(_SYSCALL_NUMBER, clock_id, ctypes.byref(now)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"clock_gettime({clock_id}): {os.strerror(code)}")
    return int(now.tv_sec) * NS_PER_S + int(now.tv_nsec)


syscall_monotonic_ns: Final[Clock] = partial(syscall_ns, CLOCK_MONOTONIC)
syscall_raw_ns: Final[Clock] = partial(syscall_ns, CLOCK_MONOTONIC_RAW)


def has_syscall_clock() -> bool:
    """Whether the truth channel exists here: the architecture is known, the call permitted."""
    try:
        return syscall_monotonic_ns() > 0
    except OSError:
        return False


def true_ns() -> int:
    """CLOCK_MONOTONIC past everything that ``show`` puts on: the kernel's word where it can be
    had."""
    return _true()


def true_raw_ns() -> int:
    """The same for CLOCK_MONOTONIC_RAW."""
    return _true_raw()


_true: Final[Clock] = syscall_monotonic_ns if has_syscall_clock() else UNTOUCHED[0]
_true_raw: Final[Clock] = syscall_raw_ns if has_syscall_clock() else UNTOUCHED[1]


def true_reader(clock_id: int) -> Clock:
    """``true_ns`` (CLOCK_MONOTONIC) or ``true_raw_ns`` (CLOCK_MONOTONIC_RAW) for one owner who asks
    often: what the kernel writes to is made once. Never shared between threads."""
    if not has_syscall_clock():
        return {CLOCK_MONOTONIC: UNTOUCHED[0], CLOCK_MONOTONIC_RAW: UNTOUCHED[1]}[clock_id]
    now = _Timespec()
    at, ask, number, slow = ctypes.byref(now), _syscall, _SYSCALL_NUMBER, NS_PER_S

    def read() -> int:
        if ask(number, clock_id, at) != 0:
            return syscall_ns(clock_id)  # says why
        return int(now.tv_sec * slow + now.tv_nsec)

    return read


def sleep_until(deadline_mono_ns: int) -> None:
    """Sleep until CLOCK_MONOTONIC shows ``deadline_mono_ns``; at once when that has passed.

    The deadline is absolute, so that neither a signal (after whose handler the sleep goes on) nor
    a preemption before the call lengthens it. Raises ``OSError`` when the kernel refuses.
    """
    if deadline_mono_ns < 0:
        return
    deadline = _Timespec(*divmod(deadline_mono_ns, NS_PER_S))
    pointer = ctypes.byref(deadline)
    code = errno.EINTR
    while code == errno.EINTR:
        code = _nanosleep(CLOCK_MONOTONIC, _TIMER_ABSTIME, pointer, None)
    if code:
        raise OSError(code, f"clock_nanosleep: {os.strerror(code)}")


class ClockSample(NamedTuple):
    """Wall and raw time at one moment of the monotonic clock, all in nanoseconds."""

    wall: int
    mono: int
    """The middle of the bracket."""
    raw: int
    width: int
    """Of the bracket: what the others may be off by."""


def sample(attempts: int = 9, monotonic: Clock = current_monotonic_ns) -> ClockSample:
    """Read MONO, RAW, REALTIME, MONO and keep the narrowest of ``attempts`` brackets (>= 1)."""
    return min((_bracket(monotonic) for _ in range(max(1, attempts))), key=_width)


def _width(taken: ClockSample) -> int:
    return taken.width


def _bracket(monotonic: Clock) -> ClockSample:
    before = monotonic()
    raw = raw_ns()
    wall = wall_ns()
    after = monotonic()
    return ClockSample(wall=wall, mono=(before + after) // 2, raw=raw, width=after - before)
