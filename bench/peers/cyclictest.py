"""cyclictest of rt-tests: how late an absolute sleep wakes on this machine, whoever asks."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from bench.errors import BenchError

BUCKETS_US: Final = 20_000
_GRACE_S: Final = 15


@dataclass(frozen=True, slots=True)
class Latency:
    """Microseconds."""

    cycles: int
    p50_us: int
    p99_us: int
    max_us: int
    histogram: dict[int, int] = field(default_factory=dict, compare=False)
    """How often each was seen."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How a thread is scheduled: its policy's name as cyclictest wants it, and its priority."""

    name: str
    priority: int
    nice: int = 0

    def __str__(self) -> str:
        return f"{self.name} {self.priority}" if self.priority else f"{self.name}, nice {self.nice}"


def quantile_us(histogram: dict[int, int], q: float) -> int:
    """Of whole microseconds and how often each was seen; nearest rank."""
    total, seen = sum(histogram.values()), 0
    for value in sorted(histogram):
        seen += histogram[value]
        if seen >= q * total:
            return value
    raise BenchError("cyclictest has measured nothing")


def parse(raw: dict[str, Any]) -> Latency:
    """The JSON that cyclictest writes, of its one thread."""
    thread = raw["thread"]["0"]
    histogram = {int(value): int(count) for value, count in thread["histogram"].items()}
    return Latency(
        thread["cycles"],
        quantile_us(histogram, 0.5),
        quantile_us(histogram, 0.99),
        thread["max"],
        histogram,
    )


def command(out: Path, interval_us: int, policy: Policy, seconds: int) -> list[str]:
    """One thread, absolute clock_nanosleep on CLOCK_MONOTONIC, as ours."""
    words = [
        "nice",
        "-n",
        str(policy.nice),
        "cyclictest",
        "--quiet",
        "--threads=1",
        f"--interval={interval_us}",
    ]
    words += [f"--policy={policy.name}"]
    words += [f"--priority={policy.priority}"] if policy.priority else []
    return [*words, f"--duration={seconds}", f"--histogram={BUCKETS_US}", f"--json={out}"]


class Cyclictest:
    """A context manager; it runs from ``start`` on for so many seconds, beside whatever happens."""

    def __init__(self, interval_us: int, policy: Policy, seconds: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="voiceroom-bench-")
        self._out = Path(self._folder.name) / "cyclictest.json"
        self._command = command(self._out, interval_us, policy, seconds)
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._folder.cleanup()

    def start(self) -> None:
        """Now, once."""
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                stdout=subprocess.DEVNULL,  # the whole histogram again
                stderr=subprocess.PIPE,
                text=True,
            )

    def result(self) -> Latency:
        """Wait for its end. Raises ``BenchError`` with what it said."""
        if self._process is None:
            raise BenchError("cyclictest was never started")
        _, said = self._process.communicate(timeout=self._seconds + _GRACE_S)
        if self._process.returncode != 0:
            raise BenchError(f"cyclictest failed: {said[-500:]}")
        return parse(json.loads(self._out.read_text()))
