"""The CPU time that this process may have: cgroup version 1 and 2, read back from the kernel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_UNLIMITED: Final = ("max", "-1")


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """Of the process's own cgroup; None = not told."""

    version: int | None = None
    cpuset: str | None = None
    """A CPU list as the kernel writes it."""
    quota_us: int | None = None
    """CPU time per period; None also means unlimited."""
    period_us: int | None = None
    periods: int = 0
    throttled_periods: int = 0
    throttled_ns: int = 0
    rt_runtime_us: int | None = None
    """Version 1 with CONFIG_RT_GROUP_SCHED: 0 forbids SCHED_FIFO."""

    @property
    def quota_cpus(self) -> float | None:
        """The quota in CPUs; None when there is none."""
        return self.quota_us / self.period_us if self.quota_us and self.period_us else None


def read_budget(root: Path = Path("/")) -> CpuBudget:
    """The budget of this process. ``root`` holds ``proc`` and ``sys``; files may be missing."""
    folders = _folders(root)
    cpu = folders.get("cpu")
    if cpu is not None:
        return _version1(cpu, folders.get("cpuset"))
    unified = folders.get("")
    return _version2(unified) if unified is not None else CpuBudget()


def cpu_folders(root: Path = Path("/")) -> tuple[Path | None, tuple[Path, ...]]:
    """The cgroup that holds this process to its CPU time, and those above it that are visible.

    In a container with a cgroup namespace of its own nothing above is.
    """
    folders, mounts = _folders(root), _mounts(root)
    name = "cpu" if "cpu" in folders else ""
    own = folders.get(name)
    if own is None:
        return None, ()
    top = root / mounts[name][1].lstrip("/")
    return own, tuple(above for above in own.parents if above.is_relative_to(top))


@dataclass(frozen=True, slots=True)
class Spending:
    """Files of what the own cgroup has used and may use, and how they count."""

    used: Path
    used_name: bytes
    """What stands before the figure in its line; empty: the figure stands alone."""
    used_unit_ns: int
    quota: Path
    period: Path | None
    """None: it stands behind the quota."""


def spending_files(root: Path = Path("/")) -> Spending | None:
    """Of this process; None where no such cgroup is mounted."""
    folders = _folders(root)
    cpu, unified = folders.get("cpu"), folders.get("")
    if cpu is not None:
        used = folders.get("cpuacct", cpu) / "cpuacct.usage"
        return Spending(used, b"", 1, cpu / "cpu.cfs_quota_us", cpu / "cpu.cfs_period_us")
    if unified is None:
        return None
    return Spending(unified / "cpu.stat", b"usage_usec ", 1_000, unified / "cpu.max", None)


def _version1(cpu: Path, cpuset: Path | None) -> CpuBudget:
    stat = _stat(cpu / "cpu.stat")
    return CpuBudget(
        version=1,
        cpuset=(_line(cpuset / "cpuset.cpus") or None) if cpuset else None,
        quota_us=_number(_line(cpu / "cpu.cfs_quota_us")),
        period_us=_number(_line(cpu / "cpu.cfs_period_us")),
        periods=stat.get("nr_periods", 0),
        throttled_periods=stat.get("nr_throttled", 0),
        throttled_ns=stat.get("throttled_time", 0),
        rt_runtime_us=_number(_line(cpu / "cpu.rt_runtime_us")),
    )


def _version2(folder: Path) -> CpuBudget:
    quota, _, period = _line(folder / "cpu.max").partition(" ")
    stat = _stat(folder / "cpu.stat")
    return CpuBudget(
        version=2,
        cpuset=_line(folder / "cpuset.cpus.effective") or None,
        quota_us=_number(quota),
        period_us=_number(period),
        periods=stat.get("nr_periods", 0),
        throttled_periods=stat.get("nr_throttled", 0),
        throttled_ns=stat.get("throttled_usec", 0) * 1_000,
    )


def _folders(root: Path) -> dict[str, Path]:
    """The folder of this process by controller; "" is the unified hierarchy (cgroups(7))."""
    mounts = _mounts(root)
    folders: dict[str, Path] = {}
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        controllers, colon, path = rest.partition(":")
        for controller in controllers.split(","):
            if colon and controller in mounts:
                mount_root, mount_point = mounts[controller]
                folders[controller] = root / mount_point.lstrip("/") / _below(mount_root, path)
    return folders


def _mounts(root: Path) -> dict[str, tuple[str, str]]:
    """(root within the hierarchy, mount point) by controller, of proc_pid_mountinfo(5)."""
    mounts: dict[str, tuple[str, str]] = {}
    for line in _lines(root / "proc/self/mountinfo"):
        left, _, right = line.partition(" - ")
        fields, kind = left.split(), right.split()
        if len(fields) < 5 or len(kind) < 3:
            continue
        if kind[0] == "cgroup2":
            mounts[""] = (fields[3], fields[4])
        elif kind[0] == "cgroup":
            mounts |= dict.fromkeys(kind[-1].split(","), (fields[3], fields[4]))
    return mounts


def _below(mount_root: str, path: str) -> str:
    # In a container without a cgroup namespace the mount shows only what is below its root.
    inner, outer = PurePosixPath(path), PurePosixPath(mount_root)
    return str(inner.relative_to(outer)) if inner.is_relative_to(outer) else ""


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _line(path: Path) -> str:
    return next(iter(_lines(path)), "").strip()


def _number(text: str) -> int | None:
    return int(text) if text not in _UNLIMITED and text.isdigit() else None


def _stat(path: Path) -> dict[str, int]:
    fields = (line.split() for line in _lines(path))
    return {pair[0]: int(pair[1]) for pair in fields if len(pair) == 2 and pair[1].isdigit()}
