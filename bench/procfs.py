"""CPU time and memory of processes, and what the hypervisor took away (proc(5))."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_STOLEN: Final = 7
_IDLE: Final = (3, 4)


def children(pid: int) -> list[int]:
    """Direct children of all threads of a process."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in listing.read_text().split()]
    return found


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    return [pid, *(one for child in children(pid) for one in tree(child))]


def alive(pid: int) -> bool:
    """Whether there is such a process, and it is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def command_name(pid: int) -> str:
    """Last part of argv[0] of a process."""
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return words[0].decode(errors="replace").rpartition("/")[2]


def parse_stat_s(text: str) -> float:
    """User and system seconds of one line of /proc/PID/stat; the name in it may hold anything."""
    fields = text.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def cpu_s(pids: list[int]) -> float:
    """User and system seconds that these processes have used, their threads included."""
    return sum(parse_stat_s(Path(f"/proc/{pid}/stat").read_text()) for pid in pids)


@dataclass(frozen=True, slots=True)
class Memory:
    """KiB, of several processes together."""

    rss: int
    pss: int
    """Shared pages are split between those who share them."""


def parse_rollup(text: str) -> Memory:
    """One /proc/PID/smaps_rollup."""
    fields = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return Memory(*(int(fields[name].split()[0]) for name in ("Rss", "Pss")))


def memory(pids: list[int]) -> Memory:
    """What these processes hold together."""
    parts = [parse_rollup(Path(f"/proc/{pid}/smaps_rollup").read_text()) for pid in pids]
    return Memory(sum(part.rss for part in parts), sum(part.pss for part in parts))


@dataclass(frozen=True, slots=True)
class MachineTime:
    """Jiffies of all CPUs since boot."""

    total: int
    idle: int
    stolen: int

    def since(self, before: MachineTime) -> MachineTime:
        """What passed between two looks."""
        return MachineTime(
            self.total - before.total, self.idle - before.idle, self.stolen - before.stolen
        )

    @property
    def stolen_share(self) -> float:
        """0..1 of all CPU time."""
        return self.stolen / max(1, self.total)

    @property
    def idle_share(self) -> float:
        """0..1 of all CPU time."""
        return self.idle / max(1, self.total)


def parse_machine(text: str) -> MachineTime:
    """The first line of /proc/stat; guest time is part of user time there."""
    fields = [int(word) for word in text.split("\n", 1)[0].split()[1:9]]
    return MachineTime(sum(fields), sum(fields[i] for i in _IDLE), fields[_STOLEN])


def machine_time() -> MachineTime:
    """Now."""
    return parse_machine(Path("/proc/stat").read_text())
