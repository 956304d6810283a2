"""Whether the pool's real-time mode is in force in this pod, and if not, why and what to do."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names
from voiceroom_mixer.config import RealtimeAsk
from voiceroom_mixer.edge.cgroup import CpuBudget


@dataclass(frozen=True, slots=True)
class Scheduling:
    """What one media process has, as it reported it."""

    policy: str
    memory_locked: bool
    cpus: tuple[int, ...]
    refused: tuple[tuple[str, int, str], ...]
    """(what, errno, reason)."""

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Scheduling:
        """Of ``scheduling`` in the media process's report."""
        refused = tuple((r["what"], r["errno"], r["reason"]) for r in said["refused"])
        return cls(said["policy"], said["memory_locked"], tuple(said["cpus"]), refused)

    def refusal(self, what: str) -> tuple[int, str]:
        """Errno and reason of the first refusal that begins so; (0, "") without one."""
        found = ((code, why) for name, code, why in self.refused if name.startswith(what))
        return next(found, (0, ""))


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer; ``granted`` None = no media process has said yet."""

    granted: bool | None
    reason: str
    """Of ``voiceroom_api.reasons``."""
    message: str = ""
    remedy: str = ""
    errno: int = 0


_OK: Final = Grant(True, names.GRANTED)
_STATIC: Final = (
    "set cpuManagerPolicy: static in the node's kubelet configuration, and give the pod no "
    "sidecar that shares its CPUs"
)


def judge(
    ask: RealtimeAsk,
    media: list[Scheduling],
    budget: CpuBudget,
    cpus: int,
    *,
    may_set_policy: bool,
) -> Grant:
    """``media``: those that have reported; ``cpus``: how many this pod may run on;
    ``may_set_policy``: CAP_SYS_NICE is effective."""
    if not media:
        return Grant(None, names.NOT_REPORTED)
    match ask.mode:
        case "Shared":
            return _OK
        case "Quota":
            return _quota(budget)
        case "Exclusive":
            return _exclusive(ask, budget, cpus)
        case "Fifo":
            return _fifo(ask, media, may_set_policy)


def _quota(budget: CpuBudget) -> Grant:
    if budget.quota_cpus is not None:
        # as the kernel has it, which is what the kubelet really set
        read = f"{budget.quota_us}/{budget.period_us} us"
        return Grant(True, names.GRANTED, f"quota {read}: {budget.quota_cpus:g} CPUs")
    return Grant(
        False,
        names.QUOTA_MISSING,
        "the pod's cgroup has no CPU quota",
        "the kubelet must enforce limits (cpuCFSQuota: true), or set spec.realtime.mode: Shared",
    )


def _exclusive(ask: RealtimeAsk, budget: CpuBudget, cpus: int) -> Grant:
    if ask.cpus and cpus != ask.cpus:
        message = f"the pod runs on the {cpus} CPUs that the node shares out, not on {ask.cpus} own"
        return Grant(False, names.CPU_SHARED_NOT_EXCLUSIVE, message, _STATIC)
    if budget.quota_cpus is not None:
        return Grant(
            False,
            names.QUOTA_ACTIVE,
            f"a quota of {budget.quota_cpus:g} CPUs throttles the exclusive CPUs",
            "kubelet 1.32 or newer lifts it (DisableCPUQuotaWithExclusiveCPUs)",
        )
    return Grant(True, names.GRANTED, f"{cpus} CPUs of its own, no quota")


def _fifo(ask: RealtimeAsk, media: list[Scheduling], may_set_policy: bool) -> Grant:
    without = next((one for one in media if one.policy != "fifo"), None)
    if without is not None:
        return _no_fifo(ask, *without.refusal("SCHED_FIFO"), may_set_policy)
    unlocked = next((one for one in media if not one.memory_locked), None)
    if unlocked is not None:
        code, why = unlocked.refusal("locked memory")
        remedy = "allow the pod the capability IPC_LOCK, or lift RLIMIT_MEMLOCK in the runtime"
        return Grant(False, names.MEMLOCK_DENIED, why, remedy, code)
    return Grant(True, names.GRANTED, f"SCHED_FIFO {ask.priority}, memory locked")


def _no_fifo(ask: RealtimeAsk, code: int, why: str, may_set_policy: bool) -> Grant:
    message = f"SCHED_FIFO {ask.priority} was refused: {why or 'it was not asked for'}"
    if code == errno.EPERM and not may_set_policy:
        remedy = (
            "allow privileged pods in the namespace "
            "(pod-security.kubernetes.io/enforce: privileged), so that the pod may have SYS_NICE"
        )
        return Grant(False, names.MISSING_CAP_SYS_NICE, message, remedy, code)
    # the capability is there and the kernel refuses all the same
    remedy = (
        "give the pod's cgroup real-time runtime (cpu.rt_runtime_us down the tree), or use a "
        "kernel without CONFIG_RT_GROUP_SCHED"
    )
    return Grant(False, names.RT_GROUP_SCHED_BLOCKED, message, remedy, code)
