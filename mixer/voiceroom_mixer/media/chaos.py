"""What control has ordered to be injected, carried out in the media process.

The order stands in shared memory with its deadline. This process ends it by the kernel's clock
though whoever ordered it is gone, and one that takes over from a killed one goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Callable

from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge import clock, skew, stopping
from voiceroom_mixer.edge.clock import Clock
from voiceroom_mixer.edge.shm import Segment


class Chaos:
    """One media process's. ``look`` once a tick, which costs a comparison while there is none."""

    def __init__(
        self,
        segment: Segment,
        *,
        put_on: Callable[[Injection], None] = skew.put_on,
        take_off: Callable[[], None] = skew.take_off,
        stop_for: Callable[[int], None] = stopping.stop_for,
        truth: Clock = clock.true_ns,
    ) -> None:
        self._table = segment.tables["control"]
        self._sequences = self._table.sequences
        self._put_on, self._take_off = put_on, take_off
        self._stop_for, self._truth = stop_for, truth
        self._seen = 0
        self._injection: Injection | None = None
        self._stops = 0

    def look(self) -> None:
        """Take a new order up, go on with the one that there is, or end it."""
        sequence = int(self._sequences[layout.CONTROL_CHAOS])
        if sequence != self._seen and not sequence & 1:  # odd: it is being written
            self._seen = sequence
            self._take(self._table.read(layout.CONTROL_CHAOS))
        if self._injection is not None:
            self._go_on(self._injection)

    def _take(self, order: bytes | None) -> None:
        self._end()
        injection = Injection.from_bytes(order) if order else None
        true_ns = self._truth()
        if injection is not None and injection.runs(true_ns):
            self._injection = injection
            self._stops = injection.stops_until(true_ns)
            self._put_on(injection)

    def _go_on(self, injection: Injection) -> None:
        true_ns = self._truth()
        if not injection.runs(true_ns):
            return self._end()
        stops = injection.stops_until(true_ns)
        if stops > self._stops:
            self._stops = stops
            self._stop(min(injection.stop_ns, injection.left_ns(true_ns)))
        return None

    def _stop(self, duration_ns: int) -> None:
        try:
            self._stop_for(duration_ns)
        except OSError:  # no timer to be had: better no fault than a dead process
            self._end()

    def _end(self) -> None:
        if self._injection is not None:
            self._injection = None
            self._take_off()
