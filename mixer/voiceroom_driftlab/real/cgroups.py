"""A cgroup for the pod under test and one above it, with quotas and a freezer. Version 1 and 2."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal, NamedTuple

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.edge import cgroup, clock
from voiceroom_mixer.edge.accounts import throttled_ns

Whose = Literal["own", "ancestor"]
PERIOD_US: Final = 100_000
LEAST_US: Final = 1_000
"""The kernel takes no smaller quota."""
_NAME: Final = "voiceroom-driftlab-detect"
_END_LOOKS: Final = 50


class Stat(NamedTuple):
    """Of ``cpu.stat``."""

    throttled: int
    """Periods in which it was."""
    throttled_ns: int


class PodCgroup:
    """``ancestor`` / ``own``. Raises ``OSError`` where it may not be made."""

    def __init__(self) -> None:
        own, above = cgroup.cpu_folders()
        if own is None:
            raise OSError("no CPU cgroup is mounted")
        top = above[-1] if above else own
        self._unified = (top / "cgroup.controllers").exists()
        self._freezer: Path | None = None
        self._made: list[Path] = []
        self._folders: dict[Whose, Path] = {}
        try:
            self._make_all(top)
        except OSError:
            self._remove()
            raise

    def _make_all(self, top: Path) -> None:
        ancestor = self._make(top / f"{_NAME}-{os.getpid()}", top)
        self._folders = {"ancestor": ancestor, "own": self._make(ancestor / "pod", ancestor)}
        freezer = Path("/sys/fs/cgroup/freezer")
        if self._unified:
            self._freezer = self._folders["own"] / "cgroup.freeze"
        elif freezer.is_dir():
            self._freezer = self._make(freezer / f"{_NAME}-{os.getpid()}", freezer)
            self._freezer /= "freezer.state"

    def _make(self, folder: Path, above: Path) -> Path:
        if self._unified:
            (above / "cgroup.subtree_control").write_text("+cpu")
        folder.mkdir()
        self._made.append(folder)
        return folder

    @property
    def freezes(self) -> bool:
        """Whether there is a freezer."""
        return self._freezer is not None

    def join(self) -> None:
        """The calling process, and what it starts from now on."""
        for folder in self._leaves():
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def _leaves(self) -> Iterator[Path]:
        yield self._folders["own"]
        if self._freezer is not None and not self._unified:
            yield self._freezer.parent

    def limit(self, whose: Whose, quota_us: int | None) -> None:
        """CPU time for each ``PERIOD_US``; None: no limit."""
        folder = self._folders[whose]
        if self._unified:
            word = "max" if quota_us is None else str(quota_us)
            (folder / "cpu.max").write_text(f"{word} {PERIOD_US}")
        else:
            (folder / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (folder / "cpu.cfs_quota_us").write_text(str(-1 if quota_us is None else quota_us))

    def weigh(self, least: bool) -> None:
        """The pod's share of a CPU that others want as well: the least there is, or as usual."""
        folder = self._folders["ancestor"]
        if self._unified:
            (folder / "cpu.weight").write_text("1" if least else "100")
        else:
            (folder / "cpu.shares").write_text("2" if least else "1024")

    def stat(self, whose: Whose) -> Stat:
        """What the kernel has booked so far."""
        raw = (self._folders[whose] / "cpu.stat").read_bytes()
        pairs = (line.split() for line in raw.decode().splitlines())
        found = {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
        return Stat(found.get("nr_throttled", 0), throttled_ns(raw))

    def freeze(self, frozen: bool) -> None:
        """The whole pod. Raises ``OSError`` where there is no freezer."""
        if self._freezer is None:
            raise OSError("no freezer is mounted")
        words = ("0", "1") if self._unified else ("THAWED", "FROZEN")
        self._freezer.write_text(words[frozen])

    def is_frozen(self) -> bool:
        """By the kernel's word."""
        if self._freezer is None:
            return False
        if self._unified:
            return "frozen 1" in (self._folders["own"] / "cgroup.events").read_text()
        return self._freezer.read_text().strip() == "FROZEN"

    def pids(self) -> list[int]:
        """Who is in it."""
        return [int(pid) for pid in (self._folders["own"] / "cgroup.procs").read_text().split()]

    def close(self) -> None:
        """End what is left in it, and remove it."""
        with suppress(OSError):
            self.freeze(False)
        for _ in range(_END_LOOKS):
            left = self.pids()
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            clock.sleep_until(clock.monotonic_ns() + 20 * NS_PER_MS)
        self._remove()

    def _remove(self) -> None:
        for folder in reversed(self._made):
            with suppress(OSError):
                folder.rmdir()
