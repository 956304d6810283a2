"""A media process in virtual time: real schedule, real detectors, an invented machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.clocks import Clocks
from voiceroom_driftlab.controlloop import ControlLoop
from voiceroom_driftlab.faults import Fault
from voiceroom_driftlab.scheduler import Scheduler
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.detector import Detector
from voiceroom_mixer.core.timing.detect.observations import SenderPoint, Tick
from voiceroom_mixer.core.timing.detect.verdicts import Kind
from voiceroom_mixer.core.timing.schedule import Schedule
from voiceroom_mixer.edge.kept import KeptClock

START_NS: Final = 1_000 * NS_PER_S
FRAME_NS: Final = 20 * NS_PER_MS
PACKET_NS: Final = 20 * NS_PER_MS
WORK_NS: Final = 3 * NS_PER_MS


class Said(NamedTuple):
    """A change of the verdict."""

    kind: Kind | None
    at_ns: int
    """True time."""
    tick: int


class _Sender(NamedTuple):
    ppm: float
    jitter_ns: float


class World:
    """One process from start to end; ``said`` is what its detectors said meanwhile."""

    def __init__(
        self, seed: Sequence[int], faults: Sequence[Fault], senders: int = 4, *, keeps: bool = True
    ) -> None:
        """``keeps``: time as timers keep it, and not as readings tell it."""
        self.draw = np.random.default_rng(list(seed))
        self.clocks = Clocks(self.draw, START_NS)
        self.scheduler = Scheduler(self.draw, START_NS)
        self.detector = Detector()
        self.control = ControlLoop(np.random.default_rng([*seed, 3]), START_NS)
        self._kept = KeptClock(self._shown, self._true if keeps else self._shown)
        self.seen: Tick | None = None
        """What the detectors were told of the newest tick."""
        self.said: list[Said] = []
        self.ticks = 0
        self.first_bad: int | None = None
        """Number of the first tick that a fault made late or overlong."""
        self._first_ns = min((fault.at_ns for fault in faults), default=1 << 62)
        self._schedule = Schedule.begin(self._kept())
        self._begins = sorted(faults, key=lambda fault: fault.at_ns)
        self._ends = sorted(faults, key=lambda fault: fault.until_ns)
        self._on: list[Fault] = []
        self._work_ns = WORK_NS * float(self.draw.uniform(0.3, 2.0))
        self._senders = [
            _Sender(float(self.draw.uniform(-60, 60)), float(self.draw.uniform(5e4, 4e5)))
            for _ in range(senders)
        ]
        self._second_ns = START_NS
        self._node_ns = 0
        self._arrived_ns = START_NS
        self._received = 0
        self._source = "tsc"

    def run_until(self, true_ns: int) -> None:
        """Tick until true time has come so far."""
        while self.scheduler.now_ns < true_ns:
            self.tick()

    def tick(self) -> None:
        """One tick, from the wait for its deadline to its chores."""
        self._events()
        began_ns = self._kept()
        deadline_ns = self._schedule.next_deadline_ns
        self._sleep(deadline_ns)
        woke_ns = self._kept()
        while self._schedule.due(woke_ns) is None:
            # Woken early: the loop asks again until the reading has come so far.
            self.scheduler.run(max(1_000, deadline_ns - woke_ns))
            woke_ns = self._kept()
        self._received = self._arrivals()
        self._work()
        end_ns = self._kept()
        self.ticks += 1
        self._observe(began_ns, deadline_ns, woke_ns, end_ns)
        self._chores()

    def _shown(self) -> int:
        self.clocks.at(self.scheduler.now_ns)
        return self.clocks.mono()

    def _true(self) -> int:
        self.clocks.at(self.scheduler.now_ns)
        return self.clocks.true()

    def _sleep(self, deadline_ns: int) -> None:
        """Until the kernel's clock shows it; faults may begin meanwhile."""
        while (left_ns := self._until(deadline_ns)) > 0:
            begin_ns = self._next_event()
            if begin_ns - self.scheduler.now_ns > left_ns:
                break
            self.scheduler.wait(max(0, begin_ns - self.scheduler.now_ns))
            self._events()
        late_ns = 30_000 + int(self.draw.exponential(120_000))
        self.scheduler.wait(max(0, left_ns) + late_ns)
        for fault in self._on:
            if fault.gil_ns:
                self.scheduler.compute_elsewhere(int(fault.gil_ns))

    def _until(self, deadline_ns: int) -> int:
        self.clocks.at(self.scheduler.now_ns)
        return self.clocks.until(deadline_ns)

    def _next_event(self) -> int:
        begin = self._begins[0].at_ns if self._begins else 1 << 62
        return min(begin, self._ends[0].until_ns if self._ends else 1 << 62)

    def _events(self) -> None:
        now_ns = self.scheduler.now_ns
        while self._begins and self._begins[0].at_ns <= now_ns:
            self._begin(self._begins.pop(0))
        while self._ends and self._ends[0].until_ns <= now_ns:
            fault = self._ends.pop(0)
            self._on.remove(fault)
            self.clocks.end(fault)

    def _begin(self, fault: Fault) -> None:
        self._on.append(fault)
        self.scheduler.inject(fault.stops)
        self.scheduler.now_ns += fault.suspend_ns
        self.clocks.at(self.scheduler.now_ns)
        self.clocks.begin(fault)
        self._source = fault.clocksource or self._source
        if fault.block_place == "control":
            self.control.block(fault.at_ns, fault.block_ns)
        if fault.gil_held_ns:
            self.scheduler.slices += fault.gil_held_ns // (5 * NS_PER_MS)
            self.scheduler.now_ns += fault.gil_held_ns

    def _work(self) -> None:
        cpu_ns = self._work_ns * float(self.draw.uniform(0.8, 1.3))
        for fault in self._on:
            cpu_ns = fault.work_frames * FRAME_NS or cpu_ns
        self.scheduler.run(int(cpu_ns))
        self._block("work")

    def _chores(self) -> None:
        for fault in self._on:
            if fault.gc_ns and self.ticks % fault.gc_every == 0:
                self._acts(1)
                self.scheduler.run(fault.gc_ns)
                self.scheduler.gc_ns += fault.gc_ns
        self._block("chores")

    def _block(self, place: str) -> None:
        for fault in self._on:
            due = fault.block_place == place and self.ticks % fault.block_every == 0
            if fault.block_ns and due:
                self._acts(1)
                self.scheduler.wait(fault.block_ns)

    def _observe(self, began_ns: int, deadline_ns: int, woke_ns: int, end_ns: int) -> None:
        now_ns = self.scheduler.now_ns
        late = woke_ns - deadline_ns >= matrix.NOTICE_NS or end_ns - woke_ns > FRAME_NS
        self._note_bad(woke_ns - deadline_ns, end_ns - woke_ns)
        node = None
        if late or now_ns >= self._node_ns:
            self._node_ns = now_ns + NS_PER_S
            node = self.scheduler.node(end_ns, self._source)
        gap_ns, self.scheduler.others_gap_ns = self.scheduler.others_gap_ns, 0
        tick = self.seen = Tick(
            deadline_ns, began_ns, woke_ns, end_ns - woke_ns, FRAME_NS, end_ns,
            self.scheduler.accounts(), node, self.clocks.round(), self._received,
            gap_ns + int(self.draw.integers(50 * NS_PER_MS)), self._kept.error_ns(),
        )  # fmt: skip
        self._hear()
        before = self.said[-1].kind if self.said else None
        verdict = self.detector.tick(tick)
        of_control = self.control.own_fault(now_ns, FRAME_NS)
        kind = verdict.kind if verdict else of_control
        if kind != before:
            self.said.append(Said(kind, now_ns, self.ticks))

    def _acts(self, ahead: int) -> None:
        """A fault shows, from so many ticks ahead on."""
        self.first_bad = self.first_bad or self.ticks + ahead

    def _note_bad(self, late_ns: int, work_ns: int) -> None:
        if self.scheduler.now_ns < self._first_ns or any(map(_bad_by_itself, self._on)):
            return
        if late_ns >= matrix.STEADY_NS or work_ns >= FRAME_NS:
            self._acts(0)

    def _arrivals(self) -> int:
        """Datagrams that came since the tick before; none come while time jumps."""
        passed_ns = self.scheduler.now_ns - self._arrived_ns
        self._arrived_ns = self.scheduler.now_ns
        return len(self._senders) * passed_ns // PACKET_NS

    def _hear(self) -> None:
        """Once a second, the fastest packet of each sender."""
        now_ns = self.scheduler.now_ns
        if now_ns < self._second_ns:
            return
        self._second_ns = now_ns + NS_PER_S
        raw_ns = self.clocks.raw()
        for number, sender in enumerate(self._senders):
            stamp_ns = int((now_ns - START_NS) * (1 + sender.ppm / 1e6))
            late_ns = int(self.draw.exponential(sender.jitter_ns))
            self.detector.sender(SenderPoint(number, raw_ns, raw_ns - stamp_ns + late_ns))


def _bad_by_itself(fault: Fault) -> bool:
    """It is known at which tick it acts."""
    return bool(fault.gc_ns or fault.block_ns)
