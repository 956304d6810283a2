"""Timers that neither fire early nor twice, whatever the clock does."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")

DEFAULT_CAPACITY: Final = 65_536


class Fired(NamedTuple, Generic[T]):
    """A timer whose time has come."""

    payload: T
    deadline_ns: int
    late_ns: int
    """>= 0."""


class TimerHeap(Generic[T]):
    """One-shot timers by absolute deadline; time is an argument.

    The clock is clamped: a reading before an earlier one is counted and taken as that earlier one.
    So a step back delays (nothing fires twice), and a step forward by J fires exactly the timers
    in (now, now + J]. Equal deadlines fire in the order in which they were set.
    """

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        """At most ``capacity`` timers; a further one is refused and counted."""
        self._capacity = capacity
        self._heap: list[tuple[int, int]] = []
        self._payloads: dict[int, T] = {}
        self._next_id = 0
        self._now_ns: int | None = None
        self.backsteps = 0
        """Readings of the clock before an earlier one."""
        self.refused = 0
        """Timers not set because the heap was full."""

    def __len__(self) -> int:
        return len(self._payloads)

    def set(self, deadline_ns: int, payload: T) -> int | None:
        """Fire ``payload`` at ``deadline_ns``; the timer's id, None when full.

        A deadline that has passed fires at the next ``pop_due``.
        """
        if len(self._payloads) >= self._capacity:
            self.refused += 1
            return None
        timer = self._next_id
        self._next_id += 1
        self._payloads[timer] = payload
        heappush(self._heap, (deadline_ns, timer))
        return timer

    def cancel(self, timer: int) -> bool:
        """Take a timer out; False when it has fired or was cancelled before."""
        if timer not in self._payloads:
            return False
        del self._payloads[timer]
        if len(self._heap) > 2 * len(self._payloads) + 64:
            self._heap = [entry for entry in self._heap if entry[1] in self._payloads]
            heapify(self._heap)
        return True

    @property
    def next_deadline_ns(self) -> int | None:
        """The earliest deadline; None when no timer is set."""
        self._discard_cancelled()
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now_ns: int) -> list[Fired[T]]:
        """Takes out every timer due at ``now_ns``, earliest first."""
        now_ns = self._clamp(now_ns)
        fired: list[Fired[T]] = []
        while (deadline := self.next_deadline_ns) is not None and deadline <= now_ns:
            _, timer = heappop(self._heap)
            fired.append(Fired(self._payloads.pop(timer), deadline, now_ns - deadline))
        return fired

    def _clamp(self, now_ns: int) -> int:
        if self._now_ns is not None and now_ns < self._now_ns:
            self.backsteps += 1
            return self._now_ns
        self._now_ns = now_ns
        return now_ns

    def _discard_cancelled(self) -> None:
        while self._heap and self._heap[0][1] not in self._payloads:
            heappop(self._heap)
