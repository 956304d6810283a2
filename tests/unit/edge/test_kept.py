"""The tick loop's clock under readings that step, in virtual time: who is late, and who is not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import pytest

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.core.timing.schedule import Schedule, TickPlan
from voiceroom_mixer.edge import clock, kept
from voiceroom_mixer.edge.kept import KeptClock

FRAME_NS: Final = 20 * NS_PER_MS
READ_NS: Final = 100
CALL_NS: Final = 1_000
WAKE_NS: Final = 80_000
WORK_NS: Final = 3 * NS_PER_MS
Error = Callable[[int], int]
"""Of the reading, by true time."""


class Machine:
    """True time, which timers go by, and a clock that shows something else."""

    def __init__(self, error: Error) -> None:
        self.now_ns = 1_000 * NS_PER_S
        self._begun_ns, self._error = self.now_ns, error
        self.stops: list[tuple[int, int]] = []
        """(when, for how long) everything stands still."""

    @property
    def passed_ns(self) -> int:
        return self.now_ns - self._begun_ns

    def pass_time(self, ns: int) -> None:
        self.now_ns += ns
        while self.stops and self.passed_ns >= self.stops[0][0]:
            self.now_ns += self.stops.pop(0)[1]

    def read(self) -> int:
        self.pass_time(READ_NS)
        return self.now_ns + self._error(self.passed_ns)

    def truth(self) -> int:
        self.pass_time(CALL_NS)
        return self.now_ns

    def sleep_until(self, deadline_ns: int) -> None:
        if self.stops and deadline_ns - self._begun_ns > self.stops[0][0]:
            self.pass_time(self.stops[0][0] - self.passed_ns)
        if deadline_ns > self.now_ns:
            self.pass_time(deadline_ns + WAKE_NS - self.now_ns)


class Ticks:
    """A loop as media's: (true time, plan) of every tick."""

    def __init__(self, error: Error, *stops: tuple[int, int], keeps: bool = True) -> None:
        self.machine = Machine(error)
        self.machine.stops = list(stops)
        self.kept = KeptClock(self.machine.read, self.machine.truth)
        self._now = self.kept if keeps else self.machine.read
        self._schedule = Schedule.begin(self._now())
        self.ran: list[tuple[int, TickPlan]] = []

    def run(self, seconds: float) -> Ticks:
        while self.machine.passed_ns < seconds * NS_PER_S:
            plan = self._wait()
            self.ran.append((self.machine.passed_ns, plan))
            for _ in range(10):
                self.machine.pass_time(WORK_NS // 10)
                self._now()
        return self

    def _wait(self) -> TickPlan:
        while True:
            self.machine.sleep_until(self._schedule.next_deadline_ns)
            plan = self._schedule.due(self._now())
            if plan is not None:
                return plan
            self.machine.pass_time(READ_NS)

    def skipped(self) -> int:
        return sum(plan.skipped for _, plan in self.ran)

    def worst_late_ns(self) -> int:
        return max(plan.late_ns for _, plan in self.ran[1:])

    def gaps(self) -> Iterator[int]:
        """True time between ticks."""
        for (before_ns, _), (after_ns, _) in zip(self.ran, self.ran[1:], strict=False):
            yield after_ns - before_ns


def step(offset_ns: int, begin_s: float = 1.0, end_s: float = 1e6) -> Error:
    return lambda at_ns: offset_ns if begin_s * NS_PER_S <= at_ns < end_s * NS_PER_S else 0


def saw(offset_ns: int, period_s: float) -> Error:
    period_ns = int(period_s * NS_PER_S)
    return lambda at_ns: offset_ns * (at_ns % period_ns) // period_ns


FALSE: dict[str, Error] = {
    "50 ms ahead, from now on": step(50 * NS_PER_MS),
    "50 ms behind, from now on": step(-50 * NS_PER_MS),
    "ahead for the length of a tick": step(50 * NS_PER_MS, 1.003, 1.021),
    "behind for two seconds": step(-50 * NS_PER_MS, 1.0, 3.0),
    "ahead within the work of a tick": step(50 * NS_PER_MS, 1.0115),
    "an hour ahead": step(3600 * NS_PER_S),
    "a saw up": saw(50 * NS_PER_MS, 0.5),
    "a saw down": saw(-50 * NS_PER_MS, 0.5),
    "0.1 % fast": lambda at_ns: at_ns // 1000,
    "wrong from the beginning": step(50 * NS_PER_MS, 0.0),
}


@pytest.mark.parametrize("error", FALSE.values(), ids=FALSE)
def test_a_reading_that_is_wrong_costs_no_frame_and_makes_none_late(error: Error) -> None:
    ticks = Ticks(error).run(4.985)
    assert ticks.skipped() == 0
    assert len(ticks.ran) == 250
    assert [plan.slot for _, plan in ticks.ran] == list(range(0, 500, 2))
    assert ticks.worst_late_ns() < NS_PER_MS
    assert all(abs(gap_ns - FRAME_NS) < NS_PER_MS for gap_ns in ticks.gaps())


def test_a_loop_that_believes_its_readings_loses_two_of_three() -> None:
    """What the others are the remedy of."""
    ticks = Ticks(step(50 * NS_PER_MS), keeps=False).run(4.0)
    assert ticks.skipped() >= 2 * (len(ticks.ran) - 50) - 2 > 90


@pytest.mark.parametrize("stop_ms", [50, 200])
@pytest.mark.parametrize("error", [step(0), step(50 * NS_PER_MS, 0.5), step(-50 * NS_PER_MS, 0.5)])
def test_a_process_that_was_stopped_is_late_by_all_of_it(error: Error, stop_ms: int) -> None:
    stop = (2 * NS_PER_S + 5 * NS_PER_MS, stop_ms * NS_PER_MS)
    ticks = Ticks(error, stop).run(4.0)
    assert stop_ms - 21 <= ticks.worst_late_ns() / NS_PER_MS <= stop_ms
    assert ticks.skipped() == stop_ms // 20 - 1 or ticks.skipped() == stop_ms // 20
    assert ticks.kept.steps <= 1


def test_a_stop_within_which_a_reading_steps_is_late_by_the_stop_only() -> None:
    stop = (2 * NS_PER_S + 5 * NS_PER_MS, 100 * NS_PER_MS)
    ticks = Ticks(step(50 * NS_PER_MS, 2.03), stop).run(4.0)
    assert 79 <= ticks.worst_late_ns() / NS_PER_MS <= 100
    assert ticks.kept.steps == 1
    assert ticks.kept.ahead_ns == pytest.approx(50 * NS_PER_MS, abs=NS_PER_MS // 10)


def test_looks_are_few() -> None:
    """Of readings within some milliseconds only the first asks the kernel."""
    asked = 0
    machine = Machine(step(0))

    def truth() -> int:
        nonlocal asked
        asked += 1
        return machine.truth()

    kept_clock = KeptClock(machine.read, truth)
    for _ in range(1000):
        kept_clock()
    assert asked <= 4


@pytest.mark.skipif(not clock.has_syscall_clock(), reason="there is no truth channel here")
def test_on_this_machine_it_tells_what_the_kernel_does() -> None:
    for kept_clock, truth in ((kept.monotonic_ns, clock.true_ns), (kept.raw_ns, clock.true_raw_ns)):
        before_ns = truth()
        shown_ns = kept_clock()
        after_ns = truth()
        assert before_ns - NS_PER_MS <= shown_ns <= after_ns + NS_PER_MS
