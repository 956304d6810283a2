"""The measuring itself: go to a CPU, sleep until a deadline, see how late it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.probing import DriftRow, Rota, next_deadline
from voiceroom_mixer.edge import clock, cpus, wake
from voiceroom_mixer.edge.accounts import OpenFile, numbers
from voiceroom_mixer.edge.cpus import AllowedCpus
from voiceroom_mixer.edge.probepage import ProbePage

_LOOK_NS: Final = NS_PER_S
"""How often CPUs that were added or taken away are looked for."""
_RUN_DELAY: Final = 1
"""Its column of /proc/PID/schedstat: run ns, run-queue wait ns, slices."""


class Machine(Protocol):
    """What a visit needs of the machine; virtual in tests."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC."""

    def sleep_until(self, deadline_ns: int) -> int:
        """An absolute sleep; when it was over."""

    def allowed(self) -> tuple[int, ...]:
        """CPUs that may be visited now."""

    def pin(self, cpu: int) -> bool:
        """Go there; False when that is refused."""

    def here(self) -> int:
        """The CPU that runs us."""

    def waited_ns(self) -> int:
        """How long this thread has waited in run queues so far."""


class OwnThread:
    """The calling thread on the real machine."""

    def __init__(self, only: int | None = None, root: Path = Path("/")) -> None:
        """``only``: the one CPU to visit; else all that are allowed."""
        self._schedstat = OpenFile(root / "proc/thread-self/schedstat")
        self.allowed = AllowedCpus().look if only is None else lambda: (only,)
        self.now_ns = clock.monotonic_ns
        self.sleep_until = wake.sleep_until()
        self.pin = cpus.pin
        self.here = cpus.here

    def waited_ns(self) -> int:
        """0 where the kernel keeps no such account."""
        return numbers(self._schedstat.read(), _RUN_DELAY + 1)[_RUN_DELAY]


class Visitor:
    """Visits the allowed CPUs in turn, one deadline each."""

    def __init__(
        self,
        machine: Machine,
        page: ProbePage,
        interval_ns: int,
        origin_ns: Callable[[], int] = lambda: 0,
    ) -> None:
        """``origin_ns``: a point of the grid of deadlines; it is asked again once a second."""
        self._machine, self._page = machine, page
        self._interval_ns, self._origin_ns = interval_ns, origin_ns
        self._rota = Rota()
        self._rows: dict[int, DriftRow] = {}
        self._origin = self._looked_ns = 0
        self._waited_ns = machine.waited_ns()

    def run(self) -> None:
        """For ever."""
        while True:
            self.visit()

    def visit(self) -> None:
        """One CPU. It sleeps for one interval whatever happens, so that no fault makes it spin."""
        now_ns = self._machine.now_ns()
        if now_ns - self._looked_ns >= _LOOK_NS:
            self._looked_ns = now_ns
            self._rota.follow(self._machine.allowed())
            self._origin = self._origin_ns()
        cpu = self._rota.next()
        if cpu is not None:
            self._machine.pin(cpu)
        self._measure(-1 if cpu is None else cpu)

    def _measure(self, cpu: int) -> None:
        machine = self._machine
        deadline_ns = next_deadline(machine.now_ns(), self._interval_ns, self._origin)
        woke_ns = machine.sleep_until(deadline_ns)
        late_ns = woke_ns - deadline_ns
        at, before_ns = machine.here(), self._waited_ns
        self._waited_ns = machine.waited_ns()
        if at == cpu:
            # Read once a visit, as it costs as much as the visit: waits before the sleep are few.
            waited_ns = min(late_ns, self._waited_ns - before_ns)
            self._row(cpu).observe(woke_ns, late_ns, max(0, waited_ns))
        else:
            # Taken away under our sleep (cpuset, hot-plug): this lateness is another CPU's.
            self._page.stray()

    def _row(self, cpu: int) -> DriftRow:
        if cpu not in self._rows:
            self._rows[cpu] = self._page.row(cpu)
        return self._rows[cpu]
