"""What a process says of its own errors on stderr, which nobody may be taking.

For media, which has no thread to wait for it: a process that cannot end for its traceback is not
restarted, and its rooms are silent.
"""

from __future__ import annotations

import select
import signal
import sys
from types import TracebackType
from typing import Any, Final

GIVE_UP_S: Final = 1.0
"""For so long a traceback may wait to be taken; then the kernel ends the process."""


def bound() -> None:
    """From now on nothing that Python itself writes to stderr holds this process up."""
    sys.excepthook = _last
    sys.unraisablehook = _mention


def _last(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, GIVE_UP_S)
    sys.__excepthook__(kind, error, trace)
    sys.stderr.flush()
    signal.setitimer(signal.ITIMER_REAL, 0)


def _mention(unraisable: Any) -> None:
    """An exception that ends nothing is told only where there is space for it at once."""
    if _has_space(sys.stderr.fileno()):
        sys.__unraisablehook__(unraisable)


def _has_space(fd: int) -> bool:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return any(events & select.POLLOUT for _, events in poll.poll(0))
