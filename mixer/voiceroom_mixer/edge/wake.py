"""Sleeping until a deadline and telling when that was over, or what waits then: compiled, or by its
Python twin."""

from __future__ import annotations

import ctypes
import os
import select
from collections.abc import Callable

from voiceroom_mixer.edge import clock
from voiceroom_mixer.native import library

SleepUntil = Callable[[int], int]
"""Until CLOCK_MONOTONIC shows so many ns; what it shows then. Raises ``OSError``."""
Doze = Callable[[int, int, int], bool]
"""From ``first_ns`` to ``last_ns`` of CLOCK_MONOTONIC, looking at a descriptor at both and every
``step_ns`` between; ends when something waits there, and says whether it did. Raises ``OSError``.
"""


def sleep_until() -> SleepUntil:
    """The compiled one where it was built: it reads the clock before the interpreter has found its
    way back into the caches, which takes as long as the wake-up itself."""
    kernels = library.load().library
    return twin if kernels is None else compiled(kernels)


def twin(deadline_ns: int) -> int:
    """Includes a few microseconds of interpreter, and tens where its caches are cold."""
    clock.sleep_until(deadline_ns)
    return clock.monotonic_ns()


def compiled(kernels: ctypes.PyDLL) -> SleepUntil:
    """Of ``native/src/wait.c``. The interpreter's lock is kept: this process has one thread."""
    function = kernels.vr_sleep_until
    function.argtypes, function.restype = (ctypes.c_int64,), ctypes.c_int64

    def sleep(deadline_ns: int) -> int:
        woke_ns = int(function(deadline_ns))
        if woke_ns < 0:
            raise OSError(-woke_ns, f"clock_nanosleep: {os.strerror(-woke_ns)}")
        return woke_ns

    return sleep


def doze(fd: int) -> Doze:
    """The compiled one where it was built: a wake-up that finds nothing ends without the
    interpreter, whose caches are cold by then."""
    kernels = library.load().library
    return doze_twin(fd) if kernels is None else compiled_doze(kernels, fd)


def doze_twin(fd: int) -> Doze:
    """Of ``compiled_doze``."""
    looked_at = select.poll()
    looked_at.register(fd, select.POLLIN)

    def sleep(first_ns: int, step_ns: int, last_ns: int) -> bool:
        for look_ns in range(first_ns, last_ns + 1, step_ns):
            clock.sleep_until(look_ns)
            if looked_at.poll(0):
                return True
        return False

    return sleep


def compiled_doze(kernels: ctypes.PyDLL, fd: int) -> Doze:
    """Of ``native/src/wait.c``. The interpreter's lock is kept: this process has one thread."""
    function = kernels.vr_doze
    function.argtypes = (ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_int)
    function.restype = ctypes.c_int

    def sleep(first_ns: int, step_ns: int, last_ns: int) -> bool:
        found = int(function(first_ns, step_ns, last_ns, fd))
        if found < 0:
            raise OSError(-found, f"sleeping: {os.strerror(-found)}")
        return found > 0

    return sleep
