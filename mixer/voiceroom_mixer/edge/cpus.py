"""On which CPUs this thread may run, and on which it does."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from voiceroom_mixer.core.state.probepage import CPUS

_EVERY: Final = frozenset(range(CPUS))
_sched_getcpu: Final = ctypes.PyDLL(None).sched_getcpu


class AllowedCpus:
    """Where the calling thread may run, also after it has pinned itself to one of them."""

    def __init__(self) -> None:
        begun = os.sched_getaffinity(0)
        # Who was narrowed by taskset stays so; else CPUs that the cpuset is given later count too.
        self._asked = _EVERY if _ask(_EVERY) == begun else frozenset(begun)
        os.sched_setaffinity(0, begun)

    def look(self) -> tuple[int, ...]:
        """Now: the kernel cuts down what we ask for to those that are online and in our cpuset.

        The thread may run on all of them from then on. Empty when none is left of those it had.
        """
        return tuple(sorted(_ask(self._asked)))


def _ask(cpus: frozenset[int]) -> set[int]:
    try:
        os.sched_setaffinity(0, cpus)
    except OSError:
        return set()
    return os.sched_getaffinity(0)


def pin(cpu: int) -> bool:
    """Go to ``cpu`` and stay; False where it is gone, or not ours."""
    try:
        os.sched_setaffinity(0, (cpu,))
    except OSError:
        return False
    return True


def here() -> int:
    """The CPU that runs this thread; it may be another one after the call unless pinned."""
    return int(_sched_getcpu())
