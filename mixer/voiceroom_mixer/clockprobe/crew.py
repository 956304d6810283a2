"""The processes that measure: one that visits CPUs in turn, or one for each CPU.

They are forked before anything else runs here, have one thread each, and share nothing but the
page that they write: what serves ``/metrics`` can hold none of them up.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NoReturn

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.clockprobe.visits import OwnThread, Visitor
from voiceroom_mixer.core.state.probepage import CPUS
from voiceroom_mixer.edge import clock, prctl, realtime
from voiceroom_mixer.edge.cpus import AllowedCpus
from voiceroom_mixer.edge.probepage import ProbePage

_LOOK_NS: Final = NS_PER_S
_NAME: Final = "clock-probe"


@dataclass(frozen=True, slots=True)
class Ask:
    """How to measure."""

    interval_ns: int
    parallel: bool
    fifo: bool
    priority: int
    """Of SCHED_FIFO, 1 to 98."""


def fork(work: Callable[[], None], name: str) -> int:
    """The pid of a child that does ``work``, ends with it, and dies with its parent."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    try:
        prctl.die_with_parent(parent, signal.SIGKILL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        prctl.set_name(name)
        work()
    finally:
        os._exit(1)  # nothing of the parent's is to be unwound here
    return 0


def measure(page: ProbePage, ask: Ask) -> None:
    """For ever, in the calling process and, with ``parallel``, in children of it."""
    if ask.parallel:
        _Crew(page, ask).run()
    visit(page, ask)


def visit(
    page: ProbePage, ask: Ask, only: int | None = None, origin_ns: Callable[[], int] = lambda: 0
) -> NoReturn:
    """Visit CPUs in turn, or ``only`` that one, for ever."""
    page.tell(realtime.request(ask.priority, fifo=ask.fifo))
    Visitor(OwnThread(only), page, ask.interval_ns, origin_ns).run()
    raise AssertionError("a visitor does not end")


class Members:
    """Who visits which CPU. Pure but for ``start`` and ``stop``."""

    def __init__(self, start: Callable[[int], int], stop: Callable[[int], None]) -> None:
        """``start``: of a CPU, gives a pid; ``stop``: of a pid."""
        self._start, self._stop = start, stop
        self.pids: dict[int, int] = {}
        """By CPU."""

    def follow(self, cpus: Iterable[int]) -> None:
        """Somebody on each of these and on no other."""
        wanted = {cpu for cpu in cpus if cpu < CPUS}
        for cpu in set(self.pids) - wanted:
            self._stop(self.pids.pop(cpu))
        for cpu in sorted(wanted - set(self.pids)):
            self.pids[cpu] = self._start(cpu)

    def died(self, pid: int) -> None:
        """Its CPU has nobody until the next look."""
        self.pids = {cpu: kept for cpu, kept in self.pids.items() if kept != pid}


class _Crew:
    """One process for each allowed CPU, also for those that come and go."""

    def __init__(self, page: ProbePage, ask: Ask) -> None:
        self._page, self._ask = page, ask
        self._allowed = AllowedCpus()
        self._members = Members(self._start, _stop)

    def run(self) -> NoReturn:
        due_ns = clock.monotonic_ns()
        while True:
            self._reap()
            self._members.follow(self._allowed.look())
            due_ns += _LOOK_NS
            clock.sleep_until(due_ns)

    def _start(self, cpu: int) -> int:
        return fork(lambda: visit(self._page, self._ask, cpu), f"{_NAME}/{cpu}")

    def _reap(self) -> None:
        with suppress(ChildProcessError):
            while (pid := os.waitpid(-1, os.WNOHANG)[0]) != 0:
                self._members.died(pid)


def _stop(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
