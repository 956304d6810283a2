"""Stops this process as SIGSTOP does, for a time that the kernel keeps.

A timer of the kernel sends the SIGCONT: nobody has to be alive, or on time, for the end of it. It
repeats, so that one that fires before the stop has begun (the process was preempted between the
two calls) is followed by another.
"""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.edge.clock import CLOCK_MONOTONIC

_AGAIN_NS: Final = 100 * NS_PER_MS
_SIGEV_SIGNAL: Final = 0


class _Event(ctypes.Structure):
    """``struct sigevent``, which is 64 bytes on every 64-bit Linux."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_byte * 48),
    )


class _TimerSpec(ctypes.Structure):
    """``struct itimerspec``."""

    _fields_ = (
        ("interval_s", ctypes.c_int64),
        ("interval_ns", ctypes.c_int64),
        ("value_s", ctypes.c_int64),
        ("value_ns", ctypes.c_int64),
    )


_libc: Final = ctypes.CDLL(None, use_errno=True)


def stop_for(duration_ns: int) -> None:
    """SIGSTOP to this process, and SIGCONT after ``duration_ns`` (> 0). Raises ``OSError``, and
    then was not stopped."""
    timer = ctypes.c_void_p()
    event = _Event(signo=signal.SIGCONT, notify=_SIGEV_SIGNAL)
    _check(_libc.timer_create(CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)))
    try:
        spec = _TimerSpec(*divmod(_AGAIN_NS, NS_PER_S), *divmod(duration_ns, NS_PER_S))
        _check(_libc.timer_settime(timer, 0, ctypes.byref(spec), None))
        os.kill(os.getpid(), signal.SIGSTOP)
    finally:
        _libc.timer_delete(timer)


def _check(result: Any) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
