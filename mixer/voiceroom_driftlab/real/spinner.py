"""``python -m voiceroom_driftlab.real.spinner CPU fifo|NICE``: burns so many ms of that CPU as
a line of its input says, answers with how long it took in ns, and ends with the input."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.edge import clock

_LOOKS: Final = 2_000
FIFO: Final = "fifo"


def burn(ms: float) -> int:
    """Compute until so much time has passed; how much did, in ns."""
    begun_ns = clock.true_ns()
    until_ns = begun_ns + int(ms * NS_PER_MS)
    now_ns = begun_ns
    while now_ns < until_ns:
        for _ in range(_LOOKS):
            pass
        now_ns = clock.true_ns()
    return now_ns - begun_ns


def main(arguments: list[str]) -> None:
    """Until the input ends."""
    cpu, policy = arguments
    os.sched_setaffinity(0, {int(cpu)})
    if policy == FIFO:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    else:
        os.nice(int(policy))
    for line in sys.stdin:
        sys.stdout.write(f"{burn(float(line))}\n")
        sys.stdout.flush()


class Spinner:
    """One such process. Raises ``OSError`` by ``burn`` when it could not be had as asked."""

    def __init__(self, cpu: int, policy: str) -> None:
        command = [sys.executable, "-P", "-m", __name__, str(cpu), policy]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, bufsize=1,
        )  # fmt: skip

    def begin(self, ms: float) -> None:
        """Order it to burn."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{ms}\n")
        self._process.stdin.flush()

    def done(self) -> int:
        """Wait for its answer: nanoseconds."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise OSError("a spinner could not be given its CPU or its policy")
        return int(line)

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    main(sys.argv[1:])
