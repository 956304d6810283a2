"""How hard the media processes are pressed, from their statistics pages: of several the worst."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voiceroom_mixer.control.export.figures import counter
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.edge.shm import Segment

_NAMES: Final = {
    Breaker.CLOSED: "closed",
    Breaker.HALF_OPEN: "half-open",
    Breaker.OPEN: "open",
}


def breaker(segments: Sequence[Segment]) -> str:
    """``closed``, ``half-open`` or ``open``, as in the status report."""
    return _NAMES[Breaker(max(counter(segment, "breaker_state") for segment in segments))]
