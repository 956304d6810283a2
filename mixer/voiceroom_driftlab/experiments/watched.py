"""A ticker thread beside work that pauses the process: what the ticks show of it, and what there
was."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from voiceroom_driftlab.experiments.stalls import Pause
from voiceroom_driftlab.experiments.trace import Nanoseconds
from voiceroom_mixer.edge import clock

_SCHEDSTAT: Final = "/proc/thread-self/schedstat"
_LINE: Final = 128


@dataclass(frozen=True, slots=True)
class Watched:
    """The trace of one run."""

    due_ns: Nanoseconds
    late_ns: Nanoseconds
    queued_ns: Nanoseconds
    """How long the ticker itself was runnable and had no CPU, before each tick: what the machine
    did and not the process."""

    @property
    def own_late_ns(self) -> Nanoseconds:
        """What is left for the process: pauses of its own."""
        own: Nanoseconds = np.maximum(0, self.late_ns - self.queued_ns)
        return own


class _Ticker:
    """Ticks on a grid until it is told to stop; what a pause has covered of it is skipped, so that
    one pause is one late tick."""

    def __init__(self, period_ns: int) -> None:
        self._period_ns = period_ns
        self._rows: list[tuple[int, int, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ticker")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> Watched:
        self._over.set()
        self._thread.join()
        due, late, queued = np.array(self._rows, np.int64).T
        return Watched(due, late, queued)

    def _run(self) -> None:
        due_ns = clock.monotonic_ns() + self._period_ns
        with _run_delay() as run_delay_ns:
            before_ns = run_delay_ns()
            while not self._over.is_set():
                clock.sleep_until(due_ns)
                late_ns = clock.monotonic_ns() - due_ns
                queued_ns = run_delay_ns()
                self._rows.append((due_ns, late_ns, queued_ns - before_ns))
                before_ns = queued_ns
                due_ns += (1 + max(0, late_ns) // self._period_ns) * self._period_ns


@contextmanager
def _run_delay() -> Iterator[clock.Clock]:
    """This thread's wait for a CPU so far; 0 for ever where the kernel does not tell."""
    try:
        descriptor = os.open(_SCHEDSTAT, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield lambda: 0
        return
    try:
        yield lambda: int(os.pread(descriptor, _LINE, 0).split()[1])
    finally:
        os.close(descriptor)


def watch(period_ns: int, work: Callable[[], None]) -> Watched:
    """Run ``work`` in this thread beside a ticker."""
    ticker = _Ticker(period_ns)
    ticker.start()
    try:
        work()
    finally:
        watched = ticker.stop()
    return watched


@contextmanager
def collections_seen() -> Iterator[list[Pause]]:
    """The garbage collector's pauses, as its own callbacks tell them. Only what is asked for is
    collected meanwhile, and of what is there already nothing: it is not the experiment's heap."""
    pauses: list[Pause] = []
    began_ns = 0

    def observe(phase: str, _info: Mapping[str, Any]) -> None:
        nonlocal began_ns
        now_ns = clock.monotonic_ns()
        if phase == "start":
            began_ns = now_ns
        else:
            pauses.append(Pause(began_ns, now_ns))

    gc.collect()
    gc.freeze()
    was_on = gc.isenabled()
    gc.disable()
    gc.callbacks.append(observe)
    try:
        yield pauses
    finally:
        gc.callbacks.remove(observe)
        gc.unfreeze()
        if was_on:
            gc.enable()
