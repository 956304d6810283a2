"""Puts an injection onto this process's clock readings, and takes it off again.

Detectors read the falsified clocks by the same names as always, and the kernel's beside them as
always. A falsified reading goes by the untouched MONOTONIC of the vDSO: a system call for each
would widen the brackets that the detectors compare clocks in, until they tell nothing.
"""

from __future__ import annotations

from voiceroom_mixer.core.chaos import CLOCKS, ClockName, Injection
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.clock import Clock


def put_on(injection: Injection) -> None:
    """From now on; each reading ends by itself at the deadline."""
    pairs = zip(CLOCKS, clock.UNTOUCHED, strict=True)
    clock.show(*(_falsified(name, read, injection) for name, read in pairs))


def take_off() -> None:
    """The readings are the clocks' own again, and cost what they did."""
    clock.show(*clock.UNTOUCHED)


def _falsified(name: ClockName, read: Clock, injection: Injection) -> Clock:
    if not injection.moves(name):
        return read
    truth, ahead_ns = clock.UNTOUCHED[0], injection.ahead_ns

    def falsified() -> int:
        return read() + ahead_ns(truth())

    return falsified
