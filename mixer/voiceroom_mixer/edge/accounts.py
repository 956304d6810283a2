"""Where this thread's time goes, by the kernel's books: files held open, read in one call each.

Every read is bounded and takes about a microsecond; a file that is missing reads as zero, and what
stands on it is then not told apart.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Final

from voiceroom_mixer.core.timing.detect.observations import Accounts
from voiceroom_mixer.edge import cgroup, clock

_BYTES: Final = 512
_THROTTLED: Final = ((b"throttled_usec ", 1_000), (b"throttled_time ", 1))
"""``cpu.stat`` of cgroup version 2 and 1, and the unit in ns."""


class OpenFile:
    """A file of /proc or /sys that is read again and again."""

    def __init__(self, path: Path, size: int = _BYTES) -> None:
        self._size = size
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._fd = -1

    def read(self) -> bytes:
        """Its first ``size`` bytes; empty where it is missing or cannot be read."""
        if self._fd < 0:
            return b""
        try:
            return os.pread(self._fd, self._size, 0)
        except OSError:
            return b""

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def throttled_ns(stat: bytes) -> int:
    """Throttled time of a ``cpu.stat``; 0 where it has none."""
    for name, unit_ns in _THROTTLED:
        at = stat.find(name)
        if at >= 0:
            digits = stat[at + len(name) :].split(b"\n", 1)[0]
            return int(digits) * unit_ns if digits.isdigit() else 0
    return 0


def numbers(line: bytes, count: int) -> tuple[int, ...]:
    """The first ``count`` numbers of a line; zeros where there are fewer."""
    fields = line.split()[:count]
    if len(fields) < count or not all(map(bytes.isdigit, fields)):
        return (0,) * count
    return tuple(map(int, fields))


class AccountReader:
    """The accounts of one thread of this process."""

    def __init__(
        self,
        gc_ns: Callable[[], int],
        *,
        root: Path = Path("/"),
        thread_id: int | None = None,
    ) -> None:
        """``gc_ns``: sum of the pauses so far. ``thread_id``: the caller's own, unless given."""
        self._gc_ns = gc_ns
        task = f"self/task/{thread_id}" if thread_id else "thread-self"
        self._schedstat = OpenFile(root / f"proc/{task}/schedstat")
        own, self.ancestors = cgroup.cpu_folders(root)
        self._stat = OpenFile(own / "cpu.stat" if own else root / "nonexistent")
        self._continued = 0

    def count_continuations(self) -> None:
        """Notice SIGCONT from now on: who was stopped by a signal cannot know otherwise.

        Only in the main thread; the handler counts and does nothing else.
        """
        signal.signal(signal.SIGCONT, self._on_continue)

    def _on_continue(self, _number: int, _frame: FrameType | None) -> None:
        self._continued += 1

    def read(self) -> Accounts:
        """All of them, now."""
        cpu_ns, delay_ns, slices = numbers(self._schedstat.read(), 3)
        return Accounts(
            cpu_ns,
            clock.process_cpu_ns(),
            delay_ns,
            slices,
            throttled_ns(self._stat.read()),
            self._gc_ns(),
            self._continued,
        )

    def close(self) -> None:
        """Let go of the files."""
        self._schedstat.close()
        self._stat.close()
