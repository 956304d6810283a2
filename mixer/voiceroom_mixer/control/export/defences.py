"""How hard the media processes are pressed, from their statistics pages: of several the worst."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.measures import LEVELS, WORST
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.edge.shm import Segment

_log = logging.getLogger(__name__)
_LEVEL: Final = stats.INDEX["ladder_level"]
_BREAKER: Final = stats.INDEX["breaker_state"]
_NAMES: Final = {
    Breaker.CLOSED: "closed",
    Breaker.HALF_OPEN: "half-open",
    Breaker.OPEN: "open",
}


def level(segments: Sequence[Segment]) -> int:
    """Of the ladder, 0..5."""
    return max(int(segment.counters[_LEVEL]) for segment in segments)


def breaker(segments: Sequence[Segment]) -> str:
    """``closed``, ``half-open`` or ``open``, as in the status report."""
    return _NAMES[Breaker(max(int(segment.counters[_BREAKER]) for segment in segments))]


def refuses(segment: Segment) -> bool:
    """Whether this media process takes nobody in."""
    return LEVELS[level([segment])].refuse_joins


def pressure(segments: Sequence[Segment]) -> dict[str, Any]:
    """``level``, ``breaker`` and what that means, in plain ``words``."""
    at = level(segments)
    return {"level": at, "breaker": breaker(segments), "words": LEVELS[at].said}


class PressureLog:
    """A line at each change."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._told = pressure(segments)

    def look(self) -> None:
        """About once a second."""
        now, before = pressure(self._segments), self._told
        if now == before:
            return
        self._told = now
        worse = now["level"] > before["level"] or now["breaker"] == "open"
        _log.log(
            logging.WARNING if worse else logging.INFO,
            "timing: level %d of %d (%s), breaker %s",
            now["level"],
            WORST,
            LEVELS[now["level"]].what,
            now["breaker"],
        )
