"""When garbage is collected: never by itself, only in the time that a tick has left."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from typing import Any, Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.histogram import Histogram
from voiceroom_mixer.edge import clock
from voiceroom_mixer.edge.clock import Clock

FIRST_PAUSE_NS: Final = 500_000
"""What a collection is taken to cost before one was seen."""
YOUNG_OBJECTS: Final = 700
"""Containers made since the last collection that make another worth its time."""
MIDDLE_EVERY: Final = 10
"""Young collections between two middle ones, as CPython's own thresholds have it."""
GENERATIONS: Final = 3
DEFERRED_NS: Final = NS_PER_S
"""A pause is not to follow at once on a wait for a CPU: the machine is short of time just then."""
MOST_YOUNG: Final = 10 * YOUNG_OBJECTS
"""From here on another second costs more than it saves: who is deferred again and again still
collects."""


class GcPolicy:
    """Takes collection over from the interpreter, and measures every pause by generation."""

    def __init__(
        self, pauses: Sequence[Histogram], monotonic: Clock = clock.current_monotonic_ns
    ) -> None:
        """``pauses``: one histogram for each of the three generations."""
        self._pauses = tuple(pauses)
        self._monotonic = monotonic
        self._started_ns = self._deferred_ns = 0
        self._last_pause_ns = [FIRST_PAUSE_NS] * GENERATIONS
        self.collections = 0
        """Of any generation, whoever asked."""

    def start(self) -> None:
        """After warm-up: collect once, put what is left out of reach, switch the collector off."""
        gc.callbacks.append(self._observe)
        gc.collect()
        gc.freeze()
        gc.disable()
        # What that first one cost says nothing about the small heap which is left now.
        self._last_pause_ns = [FIRST_PAUSE_NS] * GENERATIONS

    def stop(self) -> None:
        """Hand collection back to the interpreter."""
        if self._observe in gc.callbacks:
            gc.callbacks.remove(self._observe)
        gc.unfreeze()
        gc.enable()

    def defer(self) -> None:
        """Nothing is collected for ``DEFERRED_NS``, but for too much garbage, and when ordered."""
        self._deferred_ns = self._monotonic() + DEFERRED_NS

    def spare(self, slack_ns: int, *, idle: bool) -> bool:
        """Use ``slack_ns`` until the next deadline; whether anything was collected.

        A generation is collected when it has grown and the slack is over twice its last pause;
        the oldest only while ``idle`` (no leg would hear it).
        """
        generation = None if self._waits() else self._wanted(idle)
        if generation is None or slack_ns <= 2 * self._last_pause_ns[generation]:
            return False
        gc.collect(generation)
        return True

    def collect_now(self) -> int:
        """The emergency: everything, whatever it costs; its pause in ns."""
        gc.collect()
        return self._last_pause_ns[-1]

    def _waits(self) -> bool:
        """Whether it is deferred; the clock is read only then."""
        if self._deferred_ns and self._monotonic() >= self._deferred_ns:
            self._deferred_ns = 0
        return self._deferred_ns > 0 and gc.get_count()[0] < MOST_YOUNG

    def _wanted(self, idle: bool) -> int | None:
        young, middle, old = gc.get_count()
        if idle and old >= MIDDLE_EVERY:
            return 2
        if middle >= MIDDLE_EVERY:
            return 1
        return 0 if young >= YOUNG_OBJECTS else None

    def _observe(self, phase: str, info: Mapping[str, Any]) -> None:
        if phase == "start":
            self._started_ns = self._monotonic()
            return
        generation = int(info["generation"])
        pause_ns = self._monotonic() - self._started_ns
        self._last_pause_ns[generation] = pause_ns
        self._pauses[generation].observe_ns(pause_ns)
        self.collections += 1
