"""Ready and alive (contract §2), from what stands in the segments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.edge.shm import Segment

MEDIA_STALL_NS: Final = 2 * NS_PER_S
"""A media process without a beat for so long makes no progress."""
ALIVE_STALL_NS: Final = 60 * NS_PER_S
"""A stalled pod is moved away from, not killed under its calls; only this is beyond hope."""

NOT_GRANTED: Final = "realtime_not_granted"


class Readiness:
    """Joins are served when nothing stands against it."""

    def __init__(self, segments: Sequence[Segment], now_ns: Callable[[], int]) -> None:
        self._segments = segments
        self._now_ns = now_ns
        self._started_ns = now_ns()
        self.listening = False
        self.draining = False
        self.refused: Callable[[], str] = lambda: ""
        """Why the pod may not serve though it could: real time that is required and not granted."""

    def unready(self) -> list[str]:
        """Why not: ``starting draining media_warming_up media_stalled realtime_not_granted``;
        empty = ready."""
        now_ns = self._now_ns()
        reasons = {
            "starting": not self.listening,
            "draining": self.draining,
            "media_warming_up": any(not s.word("media_ready") for s in self._segments),
            "media_stalled": self._oldest_beat(now_ns) > MEDIA_STALL_NS,
            NOT_GRANTED: bool(self.refused()),
        }
        return [reason for reason, holds in reasons.items() if holds]

    def detail(self) -> dict[str, str]:
        """A sentence for those codes that need one."""
        refused = self.refused()
        return {NOT_GRANTED: refused} if refused else {}

    def alive(self) -> bool:
        """False when a media process has stood still for a minute."""
        return self._oldest_beat(self._now_ns()) <= ALIVE_STALL_NS

    def _oldest_beat(self, now_ns: int) -> int:
        """Age of the oldest heartbeat; before the first one, of this process."""
        beats = (s.word("media_beat_ns") or self._started_ns for s in self._segments)
        return now_ns - min(beats)
