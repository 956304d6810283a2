"""Where this process is, for another one to read: also when it hangs.

All it does for that is to take a signal, in which faulthandler writes its stacks (at most 100
threads of 100 frames) to a file in memory: some tens of microseconds, whatever it is busy with. Who
asks reads that file through /proc (``control/stacks.py``).
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import signal
from typing import Final

SIGNAL: Final = signal.SIGUSR2
NAME: Final = "voiceroom-stacks"
"""Of the file, as its link in /proc shows it."""
END: Final = bytes([SIGNAL])
"""Follows the stacks: a reader need not guess whether a writer without a CPU has more to say."""


def offer() -> int:
    """From now on ``SIGNAL`` writes this process's stacks; the descriptor to look them up by."""
    fd = os.memfd_create(NAME)
    # The reader empties the file: what is written next goes to its beginning.
    fcntl.fcntl(fd, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK)
    # ``chain``: once the stacks are written, Python's own handler writes the signal's number behind
    # them, at once and in C.
    signal.signal(SIGNAL, _taken)
    signal.set_wakeup_fd(fd, warn_on_full_buffer=False)
    faulthandler.register(SIGNAL, file=fd, all_threads=True, chain=True)
    return fd


def _taken(number: int, frame: object) -> None:
    """All is said by then."""
