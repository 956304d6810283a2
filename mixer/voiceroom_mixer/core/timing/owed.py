"""How many owed frames fit into what is left of a tick's time."""

from __future__ import annotations

from typing import Final

SHARE: Final = 0.6
"""Of the time until the next deadline, for the frames that are owed and the tick's own."""
USUAL_FRAMES: Final = 8


class Allowance:
    """Learns what a frame's work takes. Where frames hardly fit nothing is owed: it would only be
    the next tick that is late."""

    __slots__ = ("_usual_ns",)

    def __init__(self) -> None:
        self._usual_ns = 0

    def most(self, spare_ns: int) -> int:
        """Beside the tick's own frame, with so much time until the next deadline; 0 before a first
        frame has been seen."""
        if not self._usual_ns:
            return 0
        return max(0, int(spare_ns * SHARE) // self._usual_ns - 1)

    def learn(self, work_ns: int, frames: int, step_ns: int) -> None:
        """So many frames took so long together; of a pause among them no more than a step counts,
        as the next ones will not take it."""
        frame_ns = min(work_ns // frames, step_ns)
        self._usual_ns += (frame_ns - self._usual_ns) // USUAL_FRAMES
