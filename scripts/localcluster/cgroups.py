"""Control groups of one cluster, on machines with version 1 (also hybrid) and version 2.

Everything that the cluster runs is below one cgroup, so what is left of it is known for certain.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from localcluster.failure import ClusterError, Unsupported

NEEDED = ("cpu", "cpuset", "memory", "pids")
KILL_WAIT_S = 20.0
SHARES = 16 * 1024
WEIGHT = 1600  # the same on version 2, where 100 is usual


@dataclass(frozen=True)
class Hierarchies:
    """Where cgroups are mounted: `controllers` for version 1, else only `unified`."""

    controllers: dict[str, Path]
    unified: Path | None

    @property
    def is_v1(self) -> bool:
        """Whether the controllers are in hierarchies of their own (also on hybrid machines)."""
        return "cpu" in self.controllers

    @property
    def roots(self) -> list[Path]:
        """Each hierarchy that a container may have a cgroup in, once (hybrids have both kinds)."""
        unified = [] if self.unified is None else [self.unified]
        return list(dict.fromkeys([*self.controllers.values(), *unified]))

    def root(self, controller: str) -> Path:
        """The hierarchy of one controller."""
        return self.controllers[controller] if self.is_v1 else self._unified()

    @property
    def tracking(self) -> Path:
        """The hierarchy in which the cluster's own processes are kept together."""
        return self.root("pids")

    def missing(self) -> list[str]:
        """Controllers that a kubelet needs and that this machine has not."""
        if self.is_v1:
            return [name for name in NEEDED if name not in self.controllers]
        if self.unified is None:
            return list(NEEDED)
        there = (self.unified / "cgroup.controllers").read_text().split()
        return [name for name in NEEDED if name not in there]

    def _unified(self) -> Path:
        if self.unified is None:
            raise Unsupported("no cgroups are mounted at /sys/fs/cgroup.")
        return self.unified


def find(mountinfo: str | None = None) -> Hierarchies:
    """Read where cgroups are mounted, from the text of /proc/self/mountinfo (proc(5))."""
    text = Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo
    controllers: dict[str, Path] = {}
    unified = None
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        kind, _, options = after.split(" ", 2)
        where = Path(before.split()[4])
        if kind == "cgroup":
            controllers |= dict.fromkeys(_controllers(options), where)
        elif kind == "cgroup2":
            unified = where
    return Hierarchies(controllers, unified)


def _controllers(options: str) -> list[str]:
    # A hierarchy without controllers, systemd's, is known by its name.
    plain = {"rw", "ro", "xattr", "nosuid", "nodev", "noexec", "relatime", "noprefix"}
    return [word for word in options.split(",") if word not in plain and "agent=" not in word]


def create(where: Hierarchies, cgroup: str) -> None:
    """Make a cgroup in every hierarchy, with all that its children may need."""
    for root in where.roots:
        at = root
        for part in Path(cgroup).parts:
            if not where.is_v1:
                _enable(at)
            at = at / part
            at.mkdir(exist_ok=True)
            _inherit_cpuset(at)
    if not where.is_v1:
        _enable(where.tracking / cgroup)


def _inherit_cpuset(cgroup: Path) -> None:
    """Version 1 begins with no CPU and no memory node, and then refuses every process."""
    for name in ("cpuset.mems", "cpuset.cpus"):
        file = cgroup / name
        above = cgroup.parent / name
        if file.exists() and above.exists() and not file.read_text().strip():
            file.write_text(above.read_text())


def _enable(cgroup: Path) -> None:
    """Version 2: pass all controllers on to the children."""
    names = (cgroup / "cgroup.controllers").read_text().split()
    there = (cgroup / "cgroup.subtree_control").read_text().split()
    missing = [f"+{name}" for name in names if name not in there]
    if not missing:
        return
    try:
        (cgroup / "cgroup.subtree_control").write_text(" ".join(missing))
    except OSError as error:
        raise Unsupported(
            f"the cgroup {cgroup} passes no controllers on ({error.strerror}): in a container,"
            " move its processes into a cgroup of their own first."
        ) from error


def favour(where: Hierarchies, cgroup: str) -> None:
    """Let a cluster have its time beside whatever else this machine does, as one of its own would.

    Otherwise all of its pods together count as much as one process of the root cgroup.
    """
    folder = where.root("cpu") / cgroup
    name, value = ("cpu.shares", SHARES) if where.is_v1 else ("cpu.weight", WEIGHT)
    (folder / name).write_text(str(value))


def create_leaf(where: Hierarchies, cgroup: str) -> Path:
    """Make a cgroup for processes of the cluster itself; returns its folder."""
    folder = where.tracking / cgroup
    folder.mkdir(exist_ok=True)
    return folder


def processes(where: Hierarchies, cgroup: str) -> set[int]:
    """Who is in the cgroup or below it."""
    return {pid for folder in _tree(where.tracking / cgroup) for pid in _members(folder)}


def kill(where: Hierarchies, cgroup: str) -> None:
    """End everything in it. Raises: ClusterError when something does not end."""
    deadline = time.monotonic() + KILL_WAIT_S
    while left := processes(where, cgroup):
        for pid in left:
            _kill(pid)
        if time.monotonic() > deadline:
            raise ClusterError(f"processes {sorted(left)} of {cgroup} do not end.")
        time.sleep(0.05)


def remove(where: Hierarchies, cgroup: str) -> None:
    """Remove the cgroup and all below it, in every hierarchy; nothing may run in it."""
    for root in where.roots:
        for folder in reversed(list(_tree(root / cgroup))):
            _remove(folder)


def _remove(folder: Path) -> None:
    # A process that has ended may still be counted for a moment.
    deadline = time.monotonic() + KILL_WAIT_S
    while folder.exists():
        try:
            folder.rmdir()
        except OSError as error:
            if time.monotonic() > deadline:
                raise ClusterError(f"the cgroup {folder} stays: {error.strerror}.") from error
            time.sleep(0.05)


def _tree(folder: Path) -> Iterator[Path]:
    """The folder and all below it, parents first."""
    for path, _, _ in os.walk(folder):
        yield Path(path)


def _members(folder: Path) -> list[int]:
    try:
        return [int(word) for word in (folder / "cgroup.procs").read_text().split()]
    except OSError:  # it was removed while we looked
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
