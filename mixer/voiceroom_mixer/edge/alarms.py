"""SIGUSR1 of a node's clock probe: this process has waited long for a CPU.

The signal is handled, so that the probe sends it, and blocked, so that it never comes in between:
it waits with the kernel, one at most, until the loop asks after a tick. No sleep and no call ends
early by it, and nothing is written to the file of stacks (``stacks.py``), as every signal that is
delivered to Python would be.
"""

from __future__ import annotations

import signal
from typing import Final

SIGNAL: Final = signal.SIGUSR1
_ONLY: Final = frozenset({SIGNAL})


class Alarms:
    """One process's. ``offer`` in the main thread, before threads that would not be blocked."""

    def __init__(self) -> None:
        self._delivered = False

    def offer(self) -> None:
        """From now on the signal is no longer ignored, and can be taken."""
        # In this order: who sees that it is handled may send it at once.
        signal.pthread_sigmask(signal.SIG_BLOCK, _ONLY)
        signal.signal(SIGNAL, self._deliver)

    def take(self) -> bool:
        """Whether one has come since the last time. A system call; a microsecond."""
        delivered, self._delivered = self._delivered, False
        return signal.sigtimedwait(_ONLY, 0) is not None or delivered

    def _deliver(self, number: int, frame: object) -> None:
        """By way of a thread that does not block it. Just a flag: it runs between two bytecodes."""
        self._delivered = True
