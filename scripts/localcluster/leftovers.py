"""What containers leave on the machine when they are killed: mounts, links, folders."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from localcluster.failure import ClusterError
from localcluster.shell import run

# The kubelet links the logs of its containers here, wherever they are kept.
CONTAINER_LOGS = Path("/var/log/containers")


def mounts_below(*folders: Path, mountinfo: str | None = None) -> list[Path]:
    """Mount points in the folders, the last one mounted first (proc(5), mountinfo)."""
    text = Path("/proc/self/mountinfo").read_text() if mountinfo is None else mountinfo
    points = [Path(_unescape(line.split()[4])) for line in text.splitlines()]
    inside = [at for at in points if any(at.is_relative_to(folder) for folder in folders)]
    return list(reversed(inside))


def unmount(*folders: Path) -> None:
    """Unmount everything in the folders. Raises: ClusterError."""
    for point in mounts_below(*folders):
        run("umount", "--lazy", str(point))


def remove_links(folder: Path) -> None:
    """Remove links to logs of our containers."""
    if not CONTAINER_LOGS.exists():
        return
    for link in CONTAINER_LOGS.iterdir():
        if link.is_symlink() and link.readlink().is_relative_to(folder):
            link.unlink()


def remove_folder(folder: Path) -> None:
    """Remove a folder of ours. Raises: ClusterError while something is mounted in it."""
    if mounts := mounts_below(folder):
        raise ClusterError(f"{mounts[0]} is still mounted: unmount it and run it again.")
    if folder.exists():
        shutil.rmtree(folder)


def _unescape(text: str) -> str:
    """Spaces and their like are written in octal."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), text)
