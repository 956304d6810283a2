"""When to mix: a grid of 10 ms slots, and what to do when a tick comes late.

Slot k is due at ``origin + k * 10 ms``. A room with frames of n slots (10, 20, 40 ms: 1, 2, 4) is
mixed at the slots that n divides. These sizes divide each other, so the smallest one in use is the
step of the whole process.

The late policy, per room: late by less than its frame, it is mixed at once; by a frame or more, it
goes on at the newest slot of its grid that has come, and what was passed over is counted. Of that
the newest ``OWED_NS`` are mixed all the same, oldest first, where the time until the next deadline
allows (``TickPlan.parts``): whoever listens with so much in hand hears no gap. So a frame is never
sent early, never twice, and after a stall of any length there are a few frames a room, never a
burst. RTP timestamps are ``epoch + slot * 480``, hence advance by what was skipped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_MS

SLOT_MS: Final = 10
SLOT_NS: Final = SLOT_MS * NS_PER_MS
FRAME_SIZES_MS: Final = (10, 20, 40)
IDLE_FRAME_MS: Final = 20
"""The step while there is no room: the grid must be proved good before the first one comes."""
REST_MS: Final = 40
"""The step of a proved grid while nobody listens: pods that are empty share CPUs with those that
are not."""


OWED_NS: Final = 40 * NS_PER_MS
"""More would buy an adaptive listener nothing but delay (docs/timing.md)."""
_LONG_AGO: Final = -(1 << 63)


class TickPlan(NamedTuple):
    """One tick that has to run now."""

    slot: int
    """The newest slot due."""
    deadline_ns: int
    """Of ``slot``, monotonic."""
    late_ns: int
    """Behind the deadline that was waited for, >= 0; more than a frame when frames were skipped."""
    skipped: int
    """Frames of the smallest size that fell out between ``previous`` and ``slot``."""
    previous: int
    """The slot of the tick before."""

    def frame_slot(self, frame_ms: int) -> int | None:
        """The slot that rooms with this frame size mix in this tick; None: not their turn."""
        step = frame_ms // SLOT_MS
        slot = self.slot // step * step
        return slot if slot > self.previous else None

    def frames_skipped(self, frame_ms: int) -> int:
        """Frames of this size passed over, not counting the one mixed now."""
        step = frame_ms // SLOT_MS
        return max(0, self.slot // step - self.previous // step - 1)

    def parts(self, step_ns: int, most: int) -> tuple[TickPlan, ...]:
        """This tick as at most ``most`` frames of ``step_ns`` that are owed, oldest first, and
        itself. Its lateness and what is still skipped stand in the first."""
        owed = min(self.skipped, most, OWED_NS // step_ns)
        step = step_ns // SLOT_NS
        first = self.slot - owed * step
        slots = range(first, self.slot + 1, step)
        return tuple(
            TickPlan(
                slot,
                self.deadline_ns - (self.slot - slot) * SLOT_NS,
                self.late_ns,
                self.skipped - owed if slot == first else 0,
                self.previous if slot == first else slot - step,
            )
            for slot in slots
        )


class Schedule:
    """The grid of one media process. Time is an argument; nothing here waits."""

    def __init__(self, origin_ns: int, last_slot: int) -> None:
        """``last_slot`` has been mixed already; -1 for a new grid.

        A process that takes over a grid passes what the segment's header holds: the frames missed
        while nobody ran are then counted by its first tick.
        """
        self.origin_ns = origin_ns
        self.backsteps = 0
        """Readings of the clock before an earlier one."""
        self._last_slot = last_slot
        self._now_ns = _LONG_AGO
        self._frame = self._step = IDLE_FRAME_MS // SLOT_MS

    @classmethod
    def begin(cls, now_ns: int) -> Schedule:
        """A new grid whose slot 0 is one slot away."""
        return cls(now_ns + SLOT_NS, -1)

    @property
    def last_slot(self) -> int:
        """The newest slot that was handed out."""
        return self._last_slot

    def use_frames(self, sizes_ms: Iterable[int]) -> None:
        """The frame sizes of the rooms that are open, each in ``FRAME_SIZES_MS``. Ends a rest.

        Raises ``ValueError`` for another size.
        """
        sizes = set(sizes_ms)
        if not sizes.issubset(FRAME_SIZES_MS):
            raise ValueError(f"frame sizes are {FRAME_SIZES_MS} ms, got {sorted(sizes)}")
        self._frame = self._step = min(sizes, default=IDLE_FRAME_MS) // SLOT_MS

    def rest(self, *, resting: bool) -> None:
        """Whether nobody listens, so that a tick need not come more often than ``REST_MS``."""
        self._step = max(self._frame, REST_MS // SLOT_MS) if resting else self._frame

    @property
    def step_ns(self) -> int:
        """Time between two ticks of this process."""
        return self._step * SLOT_NS

    @property
    def frame_ns(self) -> int:
        """The shortest frame of its rooms, heard or not: a tick that is as late would be missed."""
        return self._frame * SLOT_NS

    @property
    def next_slot(self) -> int:
        """The slot that is waited for."""
        return (self._last_slot // self._step + 1) * self._step

    @property
    def next_deadline_ns(self) -> int:
        """When ``next_slot`` is due, monotonic."""
        return self.origin_ns + self.next_slot * SLOT_NS

    def due(self, now_ns: int) -> TickPlan | None:
        """The tick to run at ``now_ns``, which counts as run; None before its deadline."""
        if now_ns < self._now_ns:
            self.backsteps += 1
            now_ns = self._now_ns
        self._now_ns = now_ns
        waited_for = self.next_slot
        behind_ns = now_ns - self.origin_ns - waited_for * SLOT_NS
        if behind_ns < 0:
            return None
        extra = behind_ns // (self._step * SLOT_NS)
        slot = waited_for + extra * self._step
        plan = TickPlan(slot, self.origin_ns + slot * SLOT_NS, behind_ns, extra, self._last_slot)
        self._last_slot = slot
        return plan
