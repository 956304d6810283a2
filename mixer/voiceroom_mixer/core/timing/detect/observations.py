"""What is observed of time: small values, taken outside, each cumulative or absolute.

Counters are cumulative since whenever their source began; only their growth is used. Nothing here
is a wall time: steps and slews of CLOCK_REALTIME cannot even be told to the detectors.
"""

from __future__ import annotations

from typing import Final, NamedTuple

UNKNOWN: Final = -1
"""Of an offset: there is no such reading on this machine."""


class ClockRound(NamedTuple):
    """All clocks within one bracket of two CLOCK_MONOTONIC readings; offsets are "clock - MONO".

    The ``kernel_*`` offsets were read by system call, past the vDSO; they are the truth channel.
    """

    mono_ns: int
    """The middle of the bracket."""
    width_ns: int
    raw_ns: int
    boottime_ns: int
    kernel: tuple[int, int, int] | None
    """Offsets of the kernel's own MONOTONIC, RAW and BOOTTIME; None: no truth channel."""


class Accounts(NamedTuple):
    """Where the time of one thread went, from the kernel and the interpreter; cumulative ns."""

    thread_cpu_ns: int
    process_cpu_ns: int
    run_delay_ns: int
    """Runnable, and waiting for a CPU (schedstat's second field)."""
    slices: int
    """Times that the thread was put on a CPU (schedstat's third field)."""
    throttled_ns: int
    """``cpu.stat`` of the process's own cgroup."""
    gc_ns: int
    """Sum of the pauses seen by ``gc.callbacks``."""
    continued: int = 0
    """SIGCONTs taken."""


class NodeAccounts(NamedTuple):
    """What the node tells; dearer to read, hence once a second and after a late tick."""

    at_ns: int
    ancestors_throttled_ns: int
    """``cpu.stat`` of all visible cgroups above, added up; 0 if none is."""
    steal_ns: tuple[int, ...]
    """Of each CPU, from ``/proc/stat``; granularity 10 ms."""
    pressure_ns: int
    """PSI ``some`` of the CPU."""
    clocksource: str
    own_used_ns: int = 0
    """CPU time of all that is in the process's own cgroup."""
    quota_ns: int = 0
    """What that may use in each period; 0: as much as it likes, or it is not told."""
    quota_period_ns: int = 0


class Tick(NamedTuple):
    """One tick of media, seen in the time that it left over."""

    waited_for_ns: int
    """The deadline that the loop slept for, monotonic."""
    began_wait_ns: int
    """When the loop came to wait; after the deadline: it was late before it slept."""
    woke_ns: int
    work_ns: int
    frame_ns: int
    look_ns: int
    """When the accounts below were read."""
    accounts: Accounts
    node: NodeAccounts | None = None
    clocks: ClockRound | None = None
    received: int = 0
    """Datagrams taken in since the tick before."""
    others_silent_ns: int = 0
    """Age of the control process's heartbeat."""
    corrected_ns: int = 0
    """What was taken off the readings of MONOTONIC that the times above stand for."""

    @property
    def late_ns(self) -> int:
        """Behind the deadline that was waited for."""
        return self.woke_ns - self.waited_for_ns


class SenderPoint(NamedTuple):
    """The fastest packet of about a second of one sender: transit on the RAW clock."""

    sender: int
    at_ns: int
    """CLOCK_MONOTONIC_RAW."""
    low_ns: int
    """Arrival minus RTP timestamp, to an arbitrary constant; or, for a peer that sends SRs, minus
    its NTP time."""


class LoopLook(NamedTuple):
    """Control's event loop, looked at from outside it."""

    at_ns: int
    lag_ns: int
    """How overdue the loop's heartbeat is; 0 while it beats."""
    witness_late_ns: int
    """The same of a thread beside it, which needs a CPU and the GIL, but not the loop."""
    accounts: Accounts
    """Of the loop's thread; ``continued`` may stay 0."""
    stopped: bool = False
    """By a signal: the whole process."""
