"""Sleeping until a deadline and telling when that was over: compiled, or by its Python twin."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable

from voiceroom_mixer.edge import clock
from voiceroom_mixer.native import library

SleepUntil = Callable[[int], int]
"""Until CLOCK_MONOTONIC shows so many ns; what it shows then. Raises ``OSError``."""


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
