"""What is known of one thread's waits, and of one pod's."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple, Protocol, Self

from voiceroom_mixer.core.state.probepage import EDGES_US

LONG_NS: Final = 500_000
"""Longer than this is told to the mixer at once: the whole tolerance of packetisation."""
NONE_YET: Final = (0,) * (len(EDGES_US) + 1)


class Waits(NamedTuple):
    """Counts that only grow."""

    buckets: tuple[int, ...] = NONE_YET
    """Not cumulative, overflow last; edges as ``core.state.probepage.EDGES_US``."""
    sum_ns: int = 0
    long: int = 0
    """Those above ``LONG_NS``."""

    def plus(self, other: Self) -> Waits:
        """Both together."""
        buckets = tuple(a + b for a, b in zip(self.buckets, other.buckets, strict=True))
        return Waits(buckets, self.sum_ns + other.sum_ns, self.long + other.long)

    def since(self, earlier: Self) -> Waits:
        """What came on top of ``earlier``."""
        buckets = tuple(a - b for a, b in zip(self.buckets, earlier.buckets, strict=True))
        return Waits(buckets, self.sum_ns - earlier.sum_ns, self.long - earlier.long)


class Source(Protocol):
    """Where waits are read."""

    @property
    def name(self) -> str:
        """``ebpf`` or ``schedstat``."""

    @property
    def period_ns(self) -> int:
        """How often to read it."""

    def follow(self, threads: Collection[int]) -> None:
        """From now on these, by thread id."""

    def read(self) -> dict[int, Waits]:
        """Of each that is followed and still there, since it was first followed."""
