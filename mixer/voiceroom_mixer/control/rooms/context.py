"""What the rooms are given from outside: clocks, randomness, and where events go."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S

Publish = Callable[[str, str, dict[str, Any]], None]
"""``publish(room, type, data)`` of the event bus."""

Entropy = Callable[[int], bytes]
"""That many unguessable bytes."""

system_entropy: Final[Entropy] = secrets.token_bytes


@dataclass(frozen=True, slots=True)
class ControlClock:
    """The two clocks of control, injected (``edge/clock.py`` has the real ones)."""

    now_ns: Callable[[], int]
    """CLOCK_MONOTONIC: all logic."""
    wall_ns: Callable[[], int]
    """CLOCK_REALTIME: tokens' expiry and what people read."""

    def wall_s(self) -> int:
        """Whole wall seconds, as in a token's ``exp``."""
        return self.wall_ns() // NS_PER_S

    def wall_ms(self) -> int:
        """Whole wall milliseconds."""
        return self.wall_ns() // NS_PER_MS
