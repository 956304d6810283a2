"""What the child does between fork and exec: where it runs, in which cgroup and namespace."""

from __future__ import annotations

import ctypes
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voiceroom_driftlab.real.cgroups import PodCgroup
from voiceroom_mixer.edge import prctl

_CLONE_NEWTIME: Final = 0x80
OFFSETS_S: Final = {"monotonic": 50_000, "boottime": 70_000}
"""Of the time namespace (time_namespaces(7))."""
_libc: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Preparation:
    """Of the mixer under test; it ends with the laboratory, however that ends."""

    laboratory: int
    """Its process id."""
    cpu: int
    cgroup: PodCgroup | None
    time_namespace: bool = False

    def __call__(self) -> None:
        """In the child. Raises ``OSError``."""
        prctl.die_with_parent(self.laboratory, signal.SIGKILL)
        os.sched_setaffinity(0, {self.cpu})
        if self.cgroup is not None:
            self.cgroup.join()
        if self.time_namespace:
            _enter_time_namespace()


def _enter_time_namespace() -> None:
    """One whose MONOTONIC, RAW and BOOTTIME are ahead from the beginning."""
    _checked(_libc.unshare(_CLONE_NEWTIME))
    lines = "".join(f"{clock} {seconds} 0\n" for clock, seconds in OFFSETS_S.items())
    Path("/proc/self/timens_offsets").write_text(lines)
    fd = os.open("/proc/self/ns/time_for_children", os.O_RDONLY | os.O_CLOEXEC)
    _checked(_libc.setns(fd, _CLONE_NEWTIME))
    os.close(fd)


def _checked(status: int) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def has_own_time(pid: int) -> bool:
    """Whether that process is in another time namespace than this one: the kernel's word."""
    return os.readlink(f"/proc/{pid}/ns/time") != os.readlink("/proc/self/ns/time")
