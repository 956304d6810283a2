"""Visits on a virtual machine whose CPUs come and go."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.clockprobe.visits import Visitor
from voiceroom_mixer.edge import probepage

INTERVAL = 20 * NS_PER_MS


@dataclass
class VirtualMachine:
    """Sleeps take no time here; each CPU is late by what it says."""

    late_ns: dict[int, int]
    time_ns: int = NS_PER_S
    cpu: int = 0
    waited: int = 0
    wait_ns: dict[int, int] = field(default_factory=dict)
    deadlines: list[int] = field(default_factory=list)

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_until(self, deadline_ns: int) -> int:
        self.deadlines.append(deadline_ns)
        if self.cpu not in self.late_ns:  # unplugged while we slept: the kernel moves us
            self.cpu = min(self.late_ns)
        self.waited += self.wait_ns.get(self.cpu, 0)
        self.time_ns = deadline_ns + self.late_ns[self.cpu]
        return self.time_ns

    def allowed(self) -> tuple[int, ...]:
        return tuple(sorted(self.late_ns))

    def pin(self, cpu: int) -> bool:
        if cpu in self.late_ns:
            self.cpu = cpu
        return self.cpu == cpu

    def here(self) -> int:
        return self.cpu

    def waited_ns(self) -> int:
        return self.waited


def visitor(machine: VirtualMachine) -> tuple[Visitor, probepage.ProbePage]:
    page = probepage.anonymous()
    return Visitor(machine, page, INTERVAL), page


def test_each_cpu_is_told_its_own_lateness() -> None:
    machine = VirtualMachine({0: 30_000, 1: 7 * NS_PER_MS}, wait_ns={1: 6 * NS_PER_MS})
    probe, page = visitor(machine)
    for _ in range(10):
        probe.visit()
    seen = page.figures(machine.time_ns)
    assert seen.max_ns == {0: 30_000, 1: 7 * NS_PER_MS}
    assert seen.wait_ns == {0: 0, 1: 6 * NS_PER_MS}
    assert sum(seen.buckets) == 10
    assert seen.strayed == 0


def test_a_wait_before_the_sleep_is_not_more_than_the_lateness() -> None:
    machine = VirtualMachine({0: 30_000}, wait_ns={0: 5 * NS_PER_MS})
    probe, page = visitor(machine)
    probe.visit()
    assert page.figures(machine.time_ns).wait_ns == {0: 30_000}


def test_a_cpu_that_goes_under_a_visit_costs_that_visit_and_nothing_else() -> None:
    machine = VirtualMachine({0: 30_000, 1: 30_000})
    probe, page = visitor(machine)
    probe.visit()
    del machine.late_ns[1]
    for _ in range(200):
        probe.visit()
    seen = page.figures(machine.time_ns)
    assert 0 < seen.strayed <= NS_PER_S // INTERVAL  # until it has looked again
    assert seen.max_ns == {0: 30_000}
    assert sum(seen.buckets) == 201 - seen.strayed


def test_a_new_cpu_is_visited_within_a_second() -> None:
    machine = VirtualMachine({0: 30_000})
    probe, page = visitor(machine)
    probe.visit()
    machine.late_ns[9] = 40_000
    begun_ns = machine.time_ns
    while machine.time_ns < begun_ns + NS_PER_S + 2 * INTERVAL:
        probe.visit()
    assert page.figures(machine.time_ns).max_ns == {0: 30_000, 9: 40_000}


def test_where_no_cpu_can_be_had_it_sleeps_all_the_same() -> None:
    machine = VirtualMachine({0: 30_000})
    machine.allowed = lambda: ()  # type: ignore[method-assign]
    probe, page = visitor(machine)
    for _ in range(3):
        probe.visit()
    assert len(set(machine.deadlines)) == 3
    assert page.figures(machine.time_ns).strayed == 3


def test_deadlines_follow_the_grid_that_they_are_told() -> None:
    machine = VirtualMachine({0: 30_000})
    probe = Visitor(machine, probepage.anonymous(), INTERVAL, lambda: 3 * NS_PER_MS)
    for _ in range(5):
        probe.visit()
    assert {deadline % INTERVAL for deadline in machine.deadlines} == {3 * NS_PER_MS}
    assert machine.deadlines == sorted(set(machine.deadlines))
