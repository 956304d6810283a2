"""Slots of one table: the lowest free first, and none again before media has let go of it."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import Final

_GENERATION_MASK: Final = 0xFFFF_FFFF
_LOOKS: Final = 64
"""Released slots looked at for each lease."""


class SlotPool:
    """Rows ``0 .. size - 1``. ``idle(slot)`` says whether media has let go of a released slot."""

    def __init__(self, size: int, idle: Callable[[int], bool]) -> None:
        self._size = size
        self._idle = idle
        self._fresh = 0
        self._free: list[int] = []
        self._cooling: deque[int] = deque()
        self._leased: set[int] = set()
        self._generations: dict[int, int] = {}

    def __len__(self) -> int:
        """How many are leased."""
        return len(self._leased)

    def lease(self) -> int | None:
        """A slot, or None when all are taken. Few rows are ever touched, so memory stays small."""
        self._warm_up()
        slot = self._pick()
        if slot is not None:
            self._leased.add(slot)
        return slot

    def _pick(self) -> int | None:
        while self._free:
            slot = heapq.heappop(self._free)
            if slot not in self._leased:
                return slot
        if self._fresh < self._size:
            self._fresh += 1
            return self._fresh - 1
        # The growing generation tells media that this is another leg, so this is safe too.
        return self._cooling.popleft() if self._cooling else None

    def _warm_up(self) -> None:
        for _ in range(min(len(self._cooling), _LOOKS)):
            slot = self._cooling.popleft()
            if self._idle(slot):
                heapq.heappush(self._free, slot)
            else:
                self._cooling.append(slot)

    def adopt(self, slot: int, generation: int) -> None:
        """A slot that a killed predecessor leased."""
        while self._fresh <= slot:
            heapq.heappush(self._free, self._fresh)
            self._fresh += 1
        self._leased.add(slot)
        self._generations[slot] = generation

    def release(self, slot: int) -> None:
        """Give a slot back."""
        self._leased.discard(slot)
        self._cooling.append(slot)

    def next_generation(self, slot: int, adopted: int) -> int:
        """Above what we have used and above what media has adopted; never 0."""
        latest = max(self._generations.get(slot, 0), adopted)
        self._generations[slot] = (latest + 1) & _GENERATION_MASK or 1
        return self._generations[slot]
