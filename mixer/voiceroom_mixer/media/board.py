"""Media's numbers: counted in plain Python ints, published to the shared page once a tick."""

from __future__ import annotations

from typing import Final

from voiceroom_mixer.core.state import stats
from voiceroom_mixer.edge.shm import Segment

_PLAIN: Final = len(stats.COUNTERS) + len(stats.DROP_REASONS)


class Board:
    """Counters by index (``Board.INDEX[name]``); a restarted process counts on from the page."""

    INDEX = stats.INDEX

    def __init__(self, segment: Segment) -> None:
        self._page = segment.counters
        self.values: list[int] = [int(v) for v in segment.counters[:_PLAIN]]

    def add(self, name: str, amount: int = 1) -> None:
        """Count; for the hot path take the index once and add to ``values``."""
        self.values[stats.INDEX[name]] += amount

    def set(self, name: str, value: int) -> None:
        """Set a gauge."""
        self.values[stats.INDEX[name]] = value

    def drop(self, reason: str, amount: int = 1) -> None:
        """Count a datagram that changed nothing, or several."""
        self.values[stats.INDEX["drop_" + reason]] += amount

    def publish(self) -> None:
        """Make the numbers visible to control."""
        self._page[:_PLAIN] = self.values
