"""Process settings by prctl(2): timer slack, death with the parent, the name in ``top``."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_TIMERSLACK: Final = 29
_PR_GET_TIMERSLACK: Final = 30

_libc: Final = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, argument: int | bytes = 0) -> int:
    value = ctypes.c_char_p(argument) if isinstance(argument, bytes) else ctypes.c_ulong(argument)
    result = int(_libc.prctl(ctypes.c_int(option), value, *(ctypes.c_ulong(0),) * 3))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
    return result


def set_timer_slack(slack_ns: int) -> int:
    """Let timers of this thread fire up to ``slack_ns`` (>= 1) late; what is in force now.

    The kernel's default of 50 us is most of an idle machine's lateness. Raises ``OSError``.
    """
    _prctl(_PR_SET_TIMERSLACK, max(1, slack_ns))
    return timer_slack_ns()


def timer_slack_ns() -> int:
    """The slack of this thread. Raises ``OSError``."""
    return _prctl(_PR_GET_TIMERSLACK)


def set_name(name: str) -> None:
    """The thread's name in ``top`` and ``ps -c``; the kernel keeps 15 bytes. Raises ``OSError``."""
    _prctl(_PR_SET_NAME, name.encode())


def die_with_parent(parent_pid: int, signal_number: int) -> None:
    """Be sent ``signal_number`` when the parent dies; exits when it has died already.

    ``parent_pid`` was read before the fork: the parent may die between that and this call.
    """
    _prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent_pid:
        sys.exit("the parent process is gone")
