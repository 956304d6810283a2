"""Run-queue waits where eBPF is not allowed: the kernel's account of each thread, read often.

It tells a sum and no single wait. What is counted is the wait within one look of 20 ms, the length
of a frame: several short waits in one look count as one long one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection
from pathlib import Path
from typing import Final

from voiceroom_mixer.clockprobe.latency.waits import LONG_NS, NONE_YET, Waits
from voiceroom_mixer.core.state.probepage import EDGES_US
from voiceroom_mixer.edge.accounts import OpenFile, numbers

_EDGES_NS: Final = tuple(edge * 1_000 for edge in EDGES_US)


class _Thread:
    def __init__(self, file: OpenFile) -> None:
        self.file = file
        self.waits = Waits()
        self.delay_ns, self.slices = self._read()

    def _read(self) -> tuple[int, int]:
        _, delay_ns, slices = numbers(self.file.read(), 3)
        return delay_ns, slices

    def look(self) -> None:
        delay_ns, slices = self._read()
        waited_ns, ran = delay_ns - self.delay_ns, slices - self.slices
        if slices == 0 or (ran == 0 and waited_ns == 0):
            return  # it has ended, or slept all the time
        self.delay_ns, self.slices = delay_ns, slices
        self.waits = self.waits.plus(_one(waited_ns))


def _one(waited_ns: int) -> Waits:
    at = bisect_left(_EDGES_NS, waited_ns)
    buckets = (*NONE_YET[:at], 1, *NONE_YET[at + 1 :])
    return Waits(buckets, waited_ns, int(waited_ns > LONG_NS))


class SchedstatSource:
    """/proc/PID/task/TID/schedstat of chosen threads."""

    name = "schedstat"
    period_ns = 20_000_000

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._threads: dict[int, _Thread] = {}

    def follow(self, threads: Collection[int]) -> None:
        """From now on these main threads, by their ids; a new one begins at zero."""
        for gone in set(self._threads) - set(threads):
            self._threads.pop(gone).file.close()
        for new in set(threads) - set(self._threads):
            self._threads[new] = _Thread(OpenFile(self._root / f"proc/{new}/schedstat"))

    def read(self) -> dict[int, Waits]:
        """Looks, and gives all that was seen so far."""
        for thread in self._threads.values():
            thread.look()
        return {number: thread.waits for number, thread in self._threads.items()}
