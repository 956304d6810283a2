"""The clock probe's own visits for some seconds: every lateness to standard output, as JSON.

Started as ``python -m bench.load.probe INTERVAL_US PRIORITY SECONDS``. It says what it was granted
in a first line, waits for one on standard input, and measures then.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from voiceroom_mixer.clockprobe.visits import OwnThread, Visitor
from voiceroom_mixer.edge import probepage, realtime

NS_PER_US = 1_000


class Recorder(OwnThread):
    """Notes when each sleep was over, in whole microseconds as cyclictest does."""

    def __init__(self) -> None:
        super().__init__()
        self.late_us: Counter[int] = Counter()
        sleep = self.sleep_until

        def noting(deadline_ns: int) -> int:
            woke_ns = sleep(deadline_ns)
            self.late_us[(woke_ns - deadline_ns) // NS_PER_US] += 1
            return woke_ns

        self.sleep_until = noting


def main(interval_us: int, priority: int, seconds: int) -> None:
    """Measure."""
    granted = realtime.request(priority)
    print(json.dumps({"policy": granted.policy, "priority": granted.priority}), flush=True)
    sys.stdin.readline()
    machine = Recorder()
    visitor = Visitor(machine, probepage.anonymous(), interval_us * NS_PER_US)
    for _ in range(seconds * 1_000_000 // interval_us):
        visitor.visit()
    print(json.dumps(machine.late_us), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
