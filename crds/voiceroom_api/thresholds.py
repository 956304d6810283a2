"""When a second of ticks is bad and when it is good: the table behind ``spec.timing.profile``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Threshold:
    """Of one profile, in milliseconds of tick lateness. What lies between good and bad changes
    nothing: what is left as bad is trusted again only when it is good."""

    bad_ms: float
    """p99 above it is bad."""
    good_ms: float
    """p99 up to it is good."""
    canary_us: int
    """p99 of a canary over its window has to be below it, in microseconds: an edge of the buckets
    of ``voiceroom_tick_lateness_seconds``."""


PROFILES: Final[Mapping[str, Threshold]] = {
    "bareMetalRt": Threshold(bad_ms=5.0, good_ms=2.0, canary_us=120),
    "bareMetal": Threshold(bad_ms=10.0, good_ms=5.0, canary_us=500),
    "vm": Threshold(bad_ms=20.0, good_ms=10.0, canary_us=2000),
}
STEADY_MS: Final = 5.0
"""The median above it is bad in every profile: the drift at which a search for causes begins."""
LOST_SHARE: Final = 0.04
"""So many of a second's ticks skipped, or late by a frame or more, are bad in every profile: two
of fifty."""
