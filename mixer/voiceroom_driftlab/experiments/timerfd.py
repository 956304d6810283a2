"""timerfd_create(2) through libc: the standard library has it from Python 3.13 on only."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.edge.clock import CLOCK_MONOTONIC

_ABSTIME: Final = 1
_TICKS_BYTES: Final = 8


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_int64), ("tv_nsec", ctypes.c_int64))


class _Timer(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


_libc: Final = ctypes.CDLL(None, use_errno=True)


def open_periodic(first_ns: int, period_ns: int) -> int:
    """A descriptor, readable from ``first_ns`` of CLOCK_MONOTONIC on and each ``period_ns`` after.

    The caller closes it. Raises ``OSError``.
    """
    descriptor = _checked(
        _libc.timerfd_create(CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC), "timerfd_create"
    )
    timer = _Timer(_Timespec(*divmod(period_ns, NS_PER_S)), _Timespec(*divmod(first_ns, NS_PER_S)))
    try:
        _checked(
            _libc.timerfd_settime(descriptor, _ABSTIME, ctypes.byref(timer), None),
            "timerfd_settime",
        )
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def expired(descriptor: int) -> int:
    """How many periods have ended since it was last read; 0 when none has."""
    try:
        return int.from_bytes(os.read(descriptor, _TICKS_BYTES), "little")
    except BlockingIOError:
        return 0


def _checked(result: int, call: str) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}")
    return result
