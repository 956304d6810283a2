"""The time, for commands: read here and nowhere else in this package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.edge import clock


@dataclass(frozen=True)
class Watch:
    """Wall and monotonic time in nanoseconds, and waiting; tests have their own."""

    wall_ns: Callable[[], int] = clock.wall_ns
    monotonic_ns: Callable[[], int] = clock.monotonic_ns
    sleep_until_ns: Callable[[int], None] = clock.sleep_until

    def wall_s(self) -> float:
        """Seconds since 1970."""
        return self.wall_ns() / NS_PER_S

    def monotonic_s(self) -> float:
        """Seconds of the monotonic clock."""
        return self.monotonic_ns() / NS_PER_S

    def sleep(self, seconds: float) -> None:
        """On the monotonic clock."""
        self.sleep_until_ns(self.monotonic_ns() + int(seconds * NS_PER_S))
