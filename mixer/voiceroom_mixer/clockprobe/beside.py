"""``python -m voiceroom_mixer.clockprobe.beside``: started by the keeper, beside every mixer.

It has the mixer's CPUs, its cgroup and its class of scheduling, so what it sees is what the mixer
gets. It must cost the mixer nothing: ten visits a second, one priority below media, each of them at
a moment at which media has nothing to do.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer import config as run_config
from voiceroom_mixer.clockprobe import crew
from voiceroom_mixer.clockprobe.crew import Ask
from voiceroom_mixer.config import ConfigError, RealtimeAsk
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.probepage import ProbePage
from voiceroom_mixer.edge.realtime import DEFAULT_PRIORITY
from voiceroom_mixer.inheritance import inherited

INTERVAL_NS: Final = 100 * NS_PER_MS
"""A multiple of the grid's slots, so that every visit meets the same phase of it."""
BEFORE_TICK_NS: Final = NS_PER_MS
"""Visits are due so long before a slot: the tick before has long ended, and the next one finds us
gone, and its CPU awake."""
_ORIGIN_AT: Final = layout.HEADER_WORDS.index("grid_origin_ns") * 8


def ask_of(realtime: RealtimeAsk | None) -> Ask:
    """What media asks for (``media/about.py``), one priority below it."""
    priority = realtime.priority if realtime else DEFAULT_PRIORITY
    fifo = realtime is None or realtime.mode == "Fifo"
    return Ask(INTERVAL_NS, parallel=False, fifo=fifo, priority=max(1, priority - 1))


def grid_ns(segment: int) -> int:
    """A point of the grid of visits; ``segment``: descriptor of a media process's segment.

    Read without mapping it, and without numpy, which would be most of this process's memory. Until
    media has begun the grid, any will do.
    """
    raw = os.pread(segment, 8, _ORIGIN_AT)
    return int.from_bytes(raw, sys.byteorder, signed=True) - BEFORE_TICK_NS


def main() -> int:
    """Until killed with the keeper; the exit code where it cannot run."""
    try:
        fds, config = inherited(os.environ), run_config.load()
        if fds.probe is None:
            raise ConfigError("a clock probe of its own is started with voiceroom-clock-probe")
    except ConfigError as error:
        sys.stderr.write(f"voiceroom-clock-probe: {error}\n")
        return 1
    page, segment = ProbePage(fds.probe), fds.media[0].segment
    page.started()
    crew.visit(page, ask_of(config.realtime), origin_ns=lambda: grid_ns(segment))


if __name__ == "__main__":
    sys.exit(main())
