"""The virtual CPU of one thread: when it may run, and what the kernel's books say about it."""

from __future__ import annotations

from bisect import insort
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.draws import Draw
from voiceroom_driftlab.faults import Stop
from voiceroom_mixer.core.timing.detect.observations import Accounts, NodeAccounts

CPUS: Final = 2
JIFFY_NS: Final = 10 * NS_PER_MS


class Neighbour:
    """A noisy one: bursts that take slices of up to 4 ms, steal, now and then a hiccup, and jobs.

    A hiccup loses up to a frame and a half, once every five minutes. A job computes for 1 to 3 s,
    twice in five minutes: nearly every tick waits for the rest of its slice, as was measured beside
    one on a real CPU. Neither loses two frames: they must not be faults.
    """

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._job_until_ns = 0

    def second(self, begin_ns: int) -> list[Stop]:
        """What it does in one second."""
        draw = self._draw
        stops: list[Stop] = []
        if draw.random() < 0.05:
            at_ns = begin_ns + int(draw.integers(NS_PER_S))
            end_ns = at_ns + int(draw.integers(60, 300)) * NS_PER_MS
            while at_ns < end_ns:
                taken_ns = int(draw.uniform(0.3, 4.0) * NS_PER_MS)
                stops.append(Stop(at_ns, at_ns + taken_ns, "queue"))
                at_ns += taken_ns + int(draw.uniform(3.0, 12.0) * NS_PER_MS)
        for _ in range(int(draw.poisson(3))):
            stops.append(self._some(begin_ns, 0.5, 6.0, "steal"))
        if draw.random() < 1 / 300:
            stops.append(self._some(begin_ns, 5.0, 30.0, "queue"))
        if draw.random() < 1 / 150:
            self._job_until_ns = begin_ns + int(draw.uniform(1.0, 3.0) * NS_PER_S)
        if begin_ns < self._job_until_ns:
            stops += self._job(begin_ns, min(self._job_until_ns, begin_ns + NS_PER_S))
        return stops

    def _job(self, at_ns: int, end_ns: int) -> list[Stop]:
        """Slices of its own; who has waited for one then runs for some milliseconds."""
        stops: list[Stop] = []
        while at_ns < end_ns:
            longest_ms = 18.0 if self._draw.random() < 0.1 else 9.0
            taken_ns = int(self._draw.uniform(5.0, longest_ms) * NS_PER_MS)
            stops.append(Stop(at_ns, at_ns + taken_ns, "queue"))
            at_ns += taken_ns + int(self._draw.uniform(8.0, 16.0) * NS_PER_MS)
        return stops

    def _some(self, begin_ns: int, low_ms: float, high_ms: float, account: str) -> Stop:
        at_ns = begin_ns + int(self._draw.integers(NS_PER_S))
        taken_ns = int(self._draw.uniform(low_ms, high_ms) * NS_PER_MS)
        return Stop(at_ns, at_ns + taken_ns, "steal" if account == "steal" else "queue")


class Scheduler:
    """True time, moved on by running and by sleeping."""

    def __init__(self, draw: Draw, start_ns: int) -> None:
        self.now_ns = start_ns
        self._neighbour = Neighbour(draw)
        self._drawn_ns = start_ns
        self._stops: list[Stop] = []
        self.thread_cpu_ns = self.others_cpu_ns = self.run_delay_ns = 0
        self.slices = self.throttled_ns = self.gc_ns = self.continued = 0
        self.ancestors_ns = 0
        self.steal_ns = [0] * CPUS
        self.others_gap_ns = 0
        """Of control's heartbeat, since it was last asked."""

    def inject(self, stops: tuple[Stop, ...]) -> None:
        """Stops to come."""
        for stop in stops:
            insort(self._stops, stop)

    def run(self, cpu_ns: int) -> None:
        """Use CPU; whatever stops the thread meanwhile makes it take longer."""
        self.slices += 1
        left_ns = cpu_ns
        while left_ns > 0:
            stop = self._next(self.now_ns + left_ns)
            if stop is None:
                self.thread_cpu_ns += left_ns
                self.now_ns += left_ns
                return
            ran_ns = max(0, stop.begin_ns - self.now_ns)
            left_ns -= ran_ns
            self.thread_cpu_ns += ran_ns
            self._stopped(stop)

    def wait(self, duration_ns: int) -> None:
        """Sleep; at its end the thread must get a CPU."""
        self.now_ns += max(0, duration_ns)
        while (stop := self._next(self.now_ns)) is not None:
            if stop.end_ns > self.now_ns:
                self._stopped(stop)

    def compute_elsewhere(self, duration_ns: int) -> None:
        """Another thread of the process computes and this one waits for it."""
        self.others_cpu_ns += duration_ns
        self.slices += duration_ns // (5 * NS_PER_MS)
        self.now_ns += duration_ns

    def _next(self, until_ns: int) -> Stop | None:
        """The earliest stop that begins at or before ``until_ns`` and is not over."""
        while self._drawn_ns <= until_ns:
            self.inject(tuple(self._neighbour.second(self._drawn_ns)))
            self._drawn_ns += NS_PER_S
        while self._stops and self._stops[0].end_ns <= self.now_ns:
            del self._stops[0]
        if self._stops and self._stops[0].begin_ns <= until_ns:
            return self._stops[0]
        return None

    def _stopped(self, stop: Stop) -> None:
        """Stand still until its end, and book it."""
        from_ns = max(stop.begin_ns, self.now_ns)
        lost_ns = stop.end_ns - from_ns
        self.now_ns = stop.end_ns
        self._book(stop, lost_ns)

    def _book(self, stop: Stop, lost_ns: int) -> None:
        account = stop.account
        if account == "steal":
            self.steal_ns[stop.begin_ns % CPUS] += lost_ns
        elif account == "signal":
            self.continued += 1
        elif account == "none":
            self.others_gap_ns = max(self.others_gap_ns, lost_ns)
        else:
            self.run_delay_ns += lost_ns
        self.throttled_ns += lost_ns if account == "own" else 0
        self.ancestors_ns += lost_ns if account == "ancestor" else 0

    def accounts(self) -> Accounts:
        """The thread's, now."""
        return Accounts(
            self.thread_cpu_ns, self.thread_cpu_ns + self.others_cpu_ns, self.run_delay_ns,
            self.slices, self.throttled_ns, self.gc_ns, self.continued,
        )  # fmt: skip

    def node(self, at_ns: int, clocksource: str) -> NodeAccounts:
        """The node's, as /proc/stat rounds them."""
        steal = tuple(ns // JIFFY_NS * JIFFY_NS for ns in self.steal_ns)
        return NodeAccounts(at_ns, self.ancestors_ns, steal, self.run_delay_ns, clocksource)
