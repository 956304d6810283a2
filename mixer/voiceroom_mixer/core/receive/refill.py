"""The refill rule: a buffer that is being played and not filled is an incident of its own.

Fill delay above 120 ms and three frames in a row without a refill make one ``RefillTimeout``; the
next one needs a refill in between.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from voiceroom_api.units import SAMPLES_PER_MS

FILL_DELAY_MS: Final = 120
FRAMES: Final = 3
MAX_EVENTS: Final = 16


@dataclass(frozen=True, slots=True)
class RefillTimeout:
    """``JB refill timeout``: what waited then, what should have, and the last packet's number."""

    size_ms: int
    target_ms: int
    last_seq: int
    """16 bits, as on the wire."""


class RefillWatch:
    """Counts playout since the last packet; time is counted in samples played."""

    def __init__(self) -> None:
        self.timeouts = 0
        self.dropped = 0
        """Events that nobody took in time."""
        self._events: deque[RefillTimeout] = deque()
        self._samples = 0
        self._frames = 0
        self._reported = False

    def refilled(self) -> None:
        """A packet of this talkspurt came."""
        self._samples = self._frames = 0
        self._reported = False

    def frame(self, samples: int, packet_samples: int) -> bool:
        """A frame was played; True when the rule has just been met.

        Packets longer than 120 ms come that far apart by nature: the fill delay must be longer
        than the packets are.
        """
        self._samples += samples
        self._frames += 1
        limit = max(FILL_DELAY_MS * SAMPLES_PER_MS, packet_samples)
        if self._reported or self._frames < FRAMES or self._samples <= limit:
            return False
        self._reported = True
        self.timeouts += 1
        return True

    def report(self, event: RefillTimeout) -> None:
        """Keep an event until it is taken; the oldest is dropped beyond ``MAX_EVENTS``."""
        if len(self._events) >= MAX_EVENTS:
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)

    def take_events(self) -> list[RefillTimeout]:
        """All events since the last call."""
        taken = list(self._events)
        self._events.clear()
        return taken
