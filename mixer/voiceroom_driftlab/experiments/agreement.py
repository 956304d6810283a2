"""CLOCK_MONOTONIC as Python and C read it, in one process and in two (S5.4).

Two readings of one clock cannot "differ by 89 ns": what differs is when they were taken. What can
be proved is order: a reading that was begun after another has ended is not smaller. So each of C's
readings is bracketed by two of Python's, and must lie between them.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from voiceroom_driftlab.experiments import compiled
from voiceroom_driftlab.experiments.spread import Spread, spread
from voiceroom_mixer.edge import clock

_STOP: Final = -1


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of so many bracketed readings."""

    where: str
    outside: int
    """Readings of C that do not lie within Python's bracket: 0, or a clock is broken."""
    bracket_ns: Spread
    offset_ns: Spread
    """From the bracket's middle: the asymmetry of two calls, not an error."""


def judged(where: str, brackets: list[tuple[int, int, int]]) -> Agreement:
    """``brackets``: Python before, C, Python after."""
    taken = np.array(brackets, np.int64)
    before, inner, after = taken[:, 0], taken[:, 1], taken[:, 2]
    outside = int(((inner < before) | (inner > after)).sum())
    return Agreement(where, outside, spread(after - before), spread(inner - (before + after) / 2))


def in_process(samples: int) -> Agreement:
    """C is called from this thread. Raises ``BuildError``."""
    return judged("one process", _brackets(_c_clock(), samples))


def _c_clock() -> clock.Clock:
    read = compiled.library().vr_lab_monotonic_ns
    read.restype = ctypes.c_int64
    function: clock.Clock = read
    return function


def _brackets(read: Callable[[], int], samples: int) -> list[tuple[int, int, int]]:
    now = clock.monotonic_ns
    return [(now(), read(), now()) for _ in range(samples)]


def across_processes(samples: int) -> Agreement:
    """A child reads in C when it sees a number in shared memory; Python waits for it.

    Raises ``BuildError`` and ``OSError``.
    """
    library = compiled.library()
    with mmap.mmap(-1, mmap.PAGESIZE) as shared:
        words = (ctypes.c_int64 * 3).from_buffer(shared)
        child = os.fork()
        if not child:
            _answer(library, words)
        try:
            brackets = _brackets(_Asked(words), samples)
        finally:
            words[0] = _STOP
            os.waitpid(child, 0)
        del words
        return judged("two processes", brackets)


def _answer(library: ctypes.PyDLL, words: ctypes.Array[ctypes.c_int64]) -> None:
    """The child's whole life: nothing of the parent's may run at its end."""
    base, size = ctypes.addressof(words), ctypes.sizeof(ctypes.c_int64)
    library.vr_lab_answer(*(ctypes.c_void_p(base + i * size) for i in range(3)))
    os._exit(0)


class _Asked:
    """Asks the child for a reading and waits."""

    def __init__(self, words: ctypes.Array[ctypes.c_int64]) -> None:
        self._words = words
        self._number = 0

    def __call__(self) -> int:
        self._number += 1
        self._words[0] = self._number
        while self._words[1] != self._number:
            os.sched_yield()
        return int(self._words[2])
