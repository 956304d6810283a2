"""Asks the kernel for real-time treatment and says what was granted, and why not more."""

from __future__ import annotations

import ctypes
import errno
import os
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from voiceroom_mixer.edge import prctl
from voiceroom_mixer.edge.cgroup import CpuBudget, read_budget

Policy = Literal["fifo", "nice", "plain"]

DEFAULT_PRIORITY: Final = 10
NICE: Final = -11
"""What desktop audio servers run at: above everything ordinary."""
_MCL_CURRENT_FUTURE_ONFAULT: Final = 1 | 2 | 4
_CAP_IPC_LOCK: Final = 14


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that was asked for and not granted."""

    what: str
    errno: int
    """0 when it was not even tried."""
    reason: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The scheduling that this thread now has."""

    policy: Policy
    priority: int
    """The real-time priority with ``fifo``, else the nice value."""
    timer_slack_ns: int
    """Real-time threads have none, whatever this says."""
    memory_locked: bool
    cpus: tuple[int, ...]
    """Where this thread may run."""
    budget: CpuBudget
    refused: tuple[Refusal, ...]


def request(
    priority: int = DEFAULT_PRIORITY, *, fifo: bool = True, cpus: Iterable[int] = ()
) -> Granted:
    """Ask for all of it for the calling thread; never raises, every refusal is in the answer.

    SCHED_FIFO with ``priority`` unless ``fifo`` is False, else nice -11, else nothing. A child
    starts plain again (SCHED_RESET_ON_FORK). ``cpus``: pin to these, empty = leave it.
    """
    budget = read_budget()
    refused: list[Refusal] = []
    if pinned := sorted(set(cpus)):
        _try(refused, f"CPUs {pinned}", lambda: os.sched_setaffinity(0, pinned), budget)
    _try(refused, "timer slack 1 ns", lambda: prctl.set_timer_slack(1), budget)
    policy, granted = _schedule(priority, fifo, refused, budget)
    return Granted(
        policy=policy,
        priority=granted,
        timer_slack_ns=prctl.timer_slack_ns(),
        memory_locked=_lock_memory(refused),
        cpus=tuple(sorted(os.sched_getaffinity(0))),
        budget=budget,
        refused=tuple(refused),
    )


def _schedule(
    priority: int, fifo: bool, refused: list[Refusal], budget: CpuBudget
) -> tuple[Policy, int]:
    if fifo and _try(refused, f"SCHED_FIFO {priority}", lambda: _set_fifo(priority), budget):
        return "fifo", priority
    if _try(refused, f"nice {NICE}", lambda: os.setpriority(os.PRIO_PROCESS, 0, NICE), budget):
        return "nice", NICE
    return "plain", os.getpriority(os.PRIO_PROCESS, 0)


def _set_fifo(priority: int) -> None:
    policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy, os.sched_param(priority))


def _try(refused: list[Refusal], what: str, ask: Callable[[], object], budget: CpuBudget) -> bool:
    try:
        ask()
    except OSError as error:
        code = error.errno or 0
        refused.append(Refusal(what, code, _why(what, code, budget)))
        return False
    return True


def _why(what: str, code: int, budget: CpuBudget) -> str:
    if code == errno.EPERM and what.startswith("SCHED_FIFO") and budget.rt_runtime_us == 0:
        return "the cgroup has no real-time budget: cpu.rt_runtime_us is 0"
    if code in (errno.EPERM, errno.EACCES):
        return "not permitted: the capability SYS_NICE is missing"
    return os.strerror(code)


def _lock_memory(refused: list[Refusal]) -> bool:
    """Lock pages as they are touched (MCL_ONFAULT: the shared segment is sparse and stays so)."""
    limit, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if limit != resource.RLIM_INFINITY and not has_capability(_CAP_IPC_LOCK):
        # It would succeed for a moment: then the first allocation beyond the limit fails.
        reason = f"RLIMIT_MEMLOCK is {limit} bytes and the capability IPC_LOCK is missing"
        refused.append(Refusal("locked memory", 0, reason))
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT_FUTURE_ONFAULT) == 0:
        return True
    code = ctypes.get_errno()
    refused.append(Refusal("locked memory", code, os.strerror(code)))
    return False


def has_capability(number: int, status: Path = Path("/proc/self/status")) -> bool:
    """Whether capability ``number`` (capabilities(7)) is effective; False when not told."""
    try:
        lines = status.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    effective = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return bool(int(effective, 16) >> number & 1)
