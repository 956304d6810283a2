"""The node's cgroups, as the kernel shows them: version 2, or version 1 and hybrids of both."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from voiceroom_chaosdoor.quota import Quota

_MOST_DEPTH: Final = 8
"""Of a pod's cgroup below the root: QoS class, pod, and what a node puts above them."""
_OF_V1: Final = ("cpu", "cpu,cpuacct", "cpuacct,cpu")


def mounted(at: Path) -> TreeV1 | TreeV2:
    """The tree that has quotas of CPU time, below a mount of ``/sys/fs/cgroup``.

    Raises: FileNotFoundError without one.
    """
    if (at / "cgroup.controllers").exists():
        return TreeV2(at)
    for name in _OF_V1:
        if (at / name / "cgroup.procs").exists():
            return TreeV1(at / name)
    raise FileNotFoundError(f"{at} has no controller of CPU time: mount the node's /sys/fs/cgroup")


class Tree:
    """What both versions have."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def container(self, pod_uid: str, container: str) -> str | None:
        """See ``Cgroups``."""
        pod = self._pod(pod_uid)
        if pod is None or not container:
            return None
        found = (child for child in _folders(pod) if container in child.name)
        chosen = next(found, None)
        return None if chosen is None else str(chosen.relative_to(self._root))

    def processes(self, pod_uid: str) -> list[int]:
        """See ``Cgroups``."""
        pod = self._pod(pod_uid)
        return [] if pod is None else [pid for at in (pod, *_folders(pod)) for pid in _pids(at)]

    def _pod(self, uid: str) -> Path | None:
        """``podUID`` (cgroupfs) or ``kubepods-burstable-podUID.slice`` (systemd)."""
        ours = (f"pod{uid}", f"-pod{uid.replace('-', '_')}.slice")
        return _search(self._root, ours, _MOST_DEPTH)


def _search(folder: Path, ends: tuple[str, str], depth: int) -> Path | None:
    for child in _folders(folder):
        if child.name.endswith(ends):
            return child
        if depth > 1 and (found := _search(child, ends, depth - 1)) is not None:
            return found
    return None


def _folders(folder: Path) -> Iterator[Path]:
    """Cgroups come and go meanwhile."""
    try:
        with os.scandir(folder) as entries:
            found = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in found:
        yield folder / name


def _pids(folder: Path) -> list[int]:
    try:
        return [int(pid) for pid in (folder / "cgroup.procs").read_text().split()]
    except FileNotFoundError:
        return []


def _text(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _put(file: Path, text: str) -> bool:
    """In one write, and a file that is not there is not made."""
    try:
        out = os.open(file, os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        os.write(out, text.encode())
    except OSError as error:
        if error.errno != errno.ENODEV:  # it went meanwhile
            raise
        return False
    finally:
        os.close(out)
    return True


class TreeV1(Tree):
    """``cpu.cfs_quota_us`` and ``cpu.cfs_period_us``."""

    def read(self, path: str) -> Quota | None:
        """See ``Cgroups``."""
        quota = _text(self._root / path / "cpu.cfs_quota_us")
        period = _text(self._root / path / "cpu.cfs_period_us")
        if quota is None or period is None:
            return None
        return Quota(None if int(quota) < 0 else int(quota), int(period))

    def write(self, path: str, quota: Quota) -> bool:
        """The period stays as it is: a change of both could not be one step."""
        us = -1 if quota.quota_us is None else quota.quota_us
        return _put(self._root / path / "cpu.cfs_quota_us", f"{us}\n")


class TreeV2(Tree):
    """``cpu.max``."""

    def read(self, path: str) -> Quota | None:
        """See ``Cgroups``."""
        text = _text(self._root / path / "cpu.max")
        if text is None:
            return None
        quota, period = text.split()
        return Quota(None if quota == "max" else int(quota), int(period))

    def write(self, path: str, quota: Quota) -> bool:
        """See ``Cgroups``."""
        us = "max" if quota.quota_us is None else quota.quota_us
        return _put(self._root / path / "cpu.max", f"{us} {quota.period_us}\n")
