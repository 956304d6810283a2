"""What the machine, or a test's own sender, did to a deadline while it was being measured."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

STOLEN_TOO_MUCH = 0.05
"""Share of all CPU time: above it a missed deadline says nothing about us."""

STALL_TOO_LONG_NS = 10_000_000
"""Half a frame: a real-time sleeper that woke this late was not held up by us."""

SENDER_TOO_LATE_NS = 40_000_000
"""Two frames: a sender of the test that was this late made the gap itself."""

WAITED_TOO_LONG_NS = 15_000_000
"""Three quarters of a frame: a mixer that had no CPU for so long, and had not used up its quota."""

WITNESS = Path(__file__).parent / "harness" / "witness.py"
_late_senders: list[tuple[int, int]] = []
_starved_mixers: list[tuple[int, int]] = []


def cpu_times() -> tuple[int, int]:
    """(stolen, all) jiffies since boot, from /proc/stat; (0, 0) where there is none."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0, 0
    fields = [int(v) for v in stat.read_text().split("\n", 1)[0].split()[1:9]]
    return fields[7], sum(fields)


def stolen_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Share of CPU time stolen between two looks, 0..1."""
    return (after[0] - before[0]) / max(1, after[1] - before[1])


def sender_was_late(at_ns: int, late_ns: int) -> None:
    """A sender of the test missed its own pace; for whoever judges what was heard."""
    if late_ns >= SENDER_TOO_LATE_NS:
        _late_senders.append((at_ns, late_ns))


def mixer_was_starved(at_ns: int, waited_ns: int) -> None:
    """A mixer in a pod here was ready to run, and others ran (``harness/rundelay.py``)."""
    if waited_ns >= WAITED_TOO_LONG_NS:
        _starved_mixers.append((at_ns, waited_ns))


class Witness:
    """A real-time sleeper in a process of its own (``harness/witness.py``) and what it saw."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="witness-")
        self._seen = Path(self._folder.name) / "stalls"
        self._seen.touch()
        self._process = subprocess.Popen([sys.executable, str(WITNESS), str(self._seen)])

    def stalls(self, since_ns: int) -> list[int]:
        """How late it woke, in ns, each time that was too long, since a monotonic instant."""
        pairs = (line.split() for line in self._seen.read_text().splitlines())
        found = [(int(at), int(late)) for at, late in pairs]
        return [late for at, late in found if at >= since_ns and late >= STALL_TOO_LONG_NS]

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


@dataclass(frozen=True)
class Look:
    """The machine as it was when a measurement began."""

    at_ns: int
    cpu: tuple[int, int]

    @classmethod
    def now(cls) -> Look:
        """Begin."""
        return cls(time.monotonic_ns(), cpu_times())

    def disturbance(self, witness: Witness) -> str:
        """Why what was measured since says nothing about us; empty when it does."""
        stolen = stolen_share(self.cpu, cpu_times())
        if stolen > STOLEN_TOO_MUCH:
            return f"{stolen:.0%} of CPU was stolen"
        if stalls := witness.stalls(self.at_ns):
            return f"the machine stood still for {max(stalls) / 1e6:.0f} ms"
        if late := [late for at, late in _late_senders if at >= self.at_ns]:
            return f"a sender of the test was {max(late) / 1e6:.0f} ms late"
        waited = [waited for at, waited in _starved_mixers if at >= self.at_ns]
        return f"a mixer had no CPU for {max(waited) / 1e6:.0f} ms" if waited else ""
