"""Takes a CPU away, in pulses, as a hypervisor does; ends when its standard input does.

``python -m voiceroom_driftlab.torture.thief CPU BUSY_MS PERIOD_MS``
"""

from __future__ import annotations

import os
import select
import sys
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.edge import clock

_PRIORITY: Final = 90


def main(cpu: int, busy_ms: int, period_ms: int) -> None:
    """Raises ``OSError`` where SCHED_FIFO is not allowed."""
    os.sched_setaffinity(0, {cpu})
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
    print("stealing", flush=True)
    due_ns = clock.monotonic_ns()
    while not select.select([sys.stdin], [], [], 0)[0]:
        while clock.monotonic_ns() < due_ns + busy_ms * NS_PER_MS:
            pass
        due_ns += period_ms * NS_PER_MS
        clock.sleep_until(due_ns)


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:4]))
