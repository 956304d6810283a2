"""Whether the operator's loops go round.

A beat says that a loop has come round, not that what it tried went well: an API server that is
away makes no operator unhealthy.
"""

from __future__ import annotations

from typing import Final

from voiceroom_operator.edge.clock import Clock

LIMITS_S: Final = {"lease": 90.0, "sweep": 150.0, "looks": 60.0, "work": 150.0}
"""How long each loop may take for a round. A call to the API server may take 15 s."""


class Pulse:
    """The last beat of each loop that has begun."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beats: dict[str, float] = {}

    def beat(self, loop: str) -> None:
        """It came round now."""
        self._beats[loop] = self._clock.monotonic_s()

    def stop(self, *loops: str) -> None:
        """They were ended on purpose."""
        for loop in loops:
            self._beats.pop(loop, None)

    def complaint(self) -> str:
        """Which loop stands still; empty when none does."""
        now_s = self._clock.monotonic_s()
        still = [
            f"{loop} stands still for {now_s - beat_s:.0f} s"
            for loop, beat_s in self._beats.items()
            if now_s - beat_s > LIMITS_S[loop]
        ]
        return "; ".join(still)
