"""Two programs that time how long chosen threads stand in a run queue, and what they count.

``sched_wakeup`` notes when a chosen thread becomes runnable, ``sched_switch`` when one is taken off
its CPU while it is runnable; the next ``sched_switch`` to it ends the wait.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from typing import Final

from voiceroom_mixer.clockprobe.ebpf import btf, kernel
from voiceroom_mixer.clockprobe.ebpf.assemble import Helper, Program, Reg
from voiceroom_mixer.clockprobe.latency.waits import LONG_NS, Waits
from voiceroom_mixer.core.state.probepage import EDGES_US

_THREADS: Final = 1024
_SWITCH_ARGUMENTS: Final = 4
"""preempt, prev, next, prev_state: as Linux 5.18 and newer have it."""
_SINCE, _SUM, _LONG, _BUCKETS = 0, 8, 16, 24
_VALUE: Final = struct.Struct(f"={3 + len(EDGES_US) + 1}Q")
_STACK_PID: Final = -4


def _find(program: Program, pid_offset: int, map_fd: int) -> None:
    """r0 = the entry of the thread whose task_struct is in r7; 0 where it is not chosen."""
    program.copy(Reg.R1, Reg.FRAME)
    program.add(Reg.R1, _STACK_PID)
    program.put(Reg.R2, 4)
    program.copy(Reg.R3, Reg.R7)
    program.add(Reg.R3, pid_offset)
    program.call(Helper.PROBE_READ_KERNEL)
    program.load_map(Reg.R1, map_fd)
    program.copy(Reg.R2, Reg.FRAME)
    program.add(Reg.R2, _STACK_PID)
    program.call(Helper.MAP_LOOKUP)


def _begin(program: Program, otherwise: str) -> None:
    """The thread whose entry is in r0 waits from now on."""
    program.jump_if_zero(Reg.R0, otherwise)
    program.copy(Reg.R8, Reg.R0)
    program.call(Helper.KTIME_GET_NS)
    program.store(Reg.R8, _SINCE, Reg.R0)


def _grow(program: Program, offset: int) -> None:
    """One more, in the entry at r8."""
    program.load(Reg.R2, Reg.R8, offset)
    program.add(Reg.R2, 1)
    program.store(Reg.R8, offset, Reg.R2)


def _end(program: Program, otherwise: str) -> None:
    """The wait of the thread whose entry is in r0 is over: count it."""
    program.jump_if_zero(Reg.R0, otherwise)
    program.copy(Reg.R8, Reg.R0)
    program.load(Reg.R7, Reg.R8, _SINCE)
    program.jump_if_zero(Reg.R7, otherwise)
    program.put(Reg.R2, 0)
    program.store(Reg.R8, _SINCE, Reg.R2)
    program.call(Helper.KTIME_GET_NS)
    program.minus(Reg.R0, Reg.R7)
    program.jump_negative(Reg.R0, otherwise)
    program.load(Reg.R2, Reg.R8, _SUM)
    program.plus(Reg.R2, Reg.R0)
    program.store(Reg.R8, _SUM, Reg.R2)
    program.jump_up_to(Reg.R0, LONG_NS, "short")
    _grow(program, _LONG)
    program.label("short")
    for edge_us in EDGES_US:
        program.jump_up_to(Reg.R0, edge_us * 1_000, "bucket")
        program.add(Reg.R8, 8)
    program.label("bucket")
    _grow(program, _BUCKETS)


def wakeup_program(pid_offset: int, map_fd: int) -> bytes:
    """For ``sched_wakeup(task)``."""
    program = Program()
    program.load(Reg.R7, Reg.R1, 0)
    _find(program, pid_offset, map_fd)
    _begin(program, "out")
    program.label("out")
    program.put(Reg.R0, 0)
    program.leave()
    return program.encode()


def switch_program(pid_offset: int, map_fd: int) -> bytes:
    """For ``sched_switch(preempt, prev, next, prev_state)``."""
    program = Program()
    program.copy(Reg.R6, Reg.R1)
    program.load(Reg.R2, Reg.R6, 0)
    program.jump_unless_zero(Reg.R2, "goes on waiting")
    program.load(Reg.R2, Reg.R6, 24)
    program.copy_low(Reg.R2, Reg.R2)
    program.jump_unless_zero(Reg.R2, "next")  # it sleeps: that is no wait for a CPU
    program.label("goes on waiting")
    program.load(Reg.R7, Reg.R6, 8)
    _find(program, pid_offset, map_fd)
    _begin(program, "next")
    program.label("next")
    program.load(Reg.R7, Reg.R6, 16)
    _find(program, pid_offset, map_fd)
    _end(program, "out")
    program.label("out")
    program.put(Reg.R0, 0)
    program.leave()
    return program.encode()


class EbpfSource:
    """Run-queue waits of chosen threads, each of them timed by the kernel."""

    name = "ebpf"
    period_ns = 100_000_000
    """How often it is worth reading: a signal comes that late at most."""

    def __init__(self) -> None:
        """Raises ``BtfError`` or ``BpfError``; nothing is left in the kernel then."""
        types = btf.read()
        if types.tracepoint_arguments("sched_switch") != _SWITCH_ARGUMENTS:
            raise btf.BtfError("sched_switch does not tell prev_state: the kernel is before 5.18")
        offset = types.field_offset("task_struct", "pid")
        self._map = kernel.HashMap(_VALUE.size, _THREADS)
        self._fds: list[int] = []
        self._followed: frozenset[int] = frozenset()
        try:
            self._attach(switch_program(offset, self._map.fd), "sched_switch")
            self._attach(wakeup_program(offset, self._map.fd), "sched_wakeup")
        except kernel.BpfError:
            self.close()
            raise

    def _attach(self, code: bytes, tracepoint: str) -> None:
        self._fds.append(kernel.load(code))
        self._fds.append(kernel.attach(self._fds[-1], tracepoint))

    def follow(self, threads: Collection[int]) -> None:
        """From now on these, by thread id; a new one begins at zero."""
        wanted = frozenset(sorted(threads)[:_THREADS])
        for gone in self._followed - wanted:
            self._map.delete(gone)
        for new in wanted - self._followed:
            self._map.write(new, bytes(_VALUE.size))
        self._followed = wanted

    def read(self) -> dict[int, Waits]:
        """Since each was first followed."""
        raw = {thread: self._map.read(thread) for thread in self._followed}
        return {thread: _waits(value) for thread, value in raw.items() if value is not None}

    def close(self) -> None:
        """Take the programs out of the kernel."""
        for fd in reversed(self._fds):
            os.close(fd)
        self._fds.clear()
        self._map.close()


def _waits(raw: bytes) -> Waits:
    _, sum_ns, long, *buckets = _VALUE.unpack(raw)
    return Waits(tuple(buckets), sum_ns, long)
