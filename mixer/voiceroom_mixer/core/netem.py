"""A network in a box: seeded, sans-IO, for tests and for the chaos door.

Delay with correlated jitter, Gilbert-Elliott loss (Gilbert 1960, Elliott 1963), duplication,
reordering, and a link of limited rate with a bounded queue. Packets go in with the time at which
they are sent; ``receive`` gives out those whose time has come.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from math import sqrt
from typing import Final, Generic, TypeVar

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S

PacketT = TypeVar("PacketT")
MAX_IN_FLIGHT: Final = 65_536
"""Beyond it packets are dropped, counted as ``overflowed``."""


@dataclass(frozen=True, slots=True)
class GilbertElliott:
    """Two states with a loss probability each; the link changes state before each packet."""

    to_bad: float = 0.0
    to_good: float = 1.0
    loss_good: float = 0.0
    loss_bad: float = 1.0

    @property
    def mean_loss(self) -> float:
        """The share that is lost in the long run."""
        if self.to_bad == 0.0:
            return self.loss_good
        bad = self.to_bad / (self.to_bad + self.to_good)
        return self.loss_good * (1.0 - bad) + self.loss_bad * bad


@dataclass(frozen=True, slots=True)
class NetemConfig:
    """One direction of a link."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Standard deviation; only ever added to the delay, as queues do."""
    correlation: float = 0.0
    """Of a packet's jitter with that of the packet before, 0..1."""
    loss: GilbertElliott = GilbertElliott()
    duplicate: float = 0.0
    reorder: float = 0.0
    """Share of packets that overtake: they go without the jitter."""
    rate_bps: int = 0
    """0 = no limit."""
    queue_bytes: int = 65_536
    """What waits for the link; more is dropped at the tail."""


PRESETS: Final[dict[str, NetemConfig]] = {
    "perfect": NetemConfig(),
    "lan": NetemConfig(delay_ms=0.3, jitter_ms=0.2),
    "fibre": NetemConfig(delay_ms=8, jitter_ms=1, loss=GilbertElliott(0.0005, 0.5)),
    "wifi": NetemConfig(
        delay_ms=6, jitter_ms=8, correlation=0.6, loss=GilbertElliott(0.004, 0.35), reorder=0.002
    ),
    "mobile": NetemConfig(
        delay_ms=45,
        jitter_ms=18,
        correlation=0.8,
        loss=GilbertElliott(0.006, 0.25),
        duplicate=0.001,
    ),
    "lossy": NetemConfig(delay_ms=30, jitter_ms=5, loss=GilbertElliott(0.03, 0.4)),
    "bufferbloat": NetemConfig(
        delay_ms=20, jitter_ms=3, rate_bps=128_000, queue_bytes=6_000, correlation=0.5
    ),
}
"""By name; ``GilbertElliott(to_bad, to_good)`` loses bursts of 1 / to_good packets on average."""


class Netem(Generic[PacketT]):
    """One direction of one link. The same seed and calls give the same deliveries."""

    def __init__(self, config: NetemConfig, seed: int) -> None:
        self.config = config
        self.lost = 0
        self.overflowed = 0
        self.duplicated = 0
        self._random = np.random.default_rng(seed)
        self._bad = False
        self._swing = 0.0
        self._last_ns = 0
        self._link_free_ns = 0
        self._order = 0
        self._flight: list[tuple[int, int, PacketT]] = []

    def send(self, now_ns: int, packet: PacketT, size_bytes: int = 0) -> None:
        """Put a packet on the link at ``now_ns`` (not before the packet sent last)."""
        left_ns = self._leave(now_ns, size_bytes)
        if left_ns is None:
            self.overflowed += 1
        elif self._loses():
            self.lost += 1
        else:
            self._deliver(left_ns, packet)
            if self._hits(self.config.duplicate):
                self.duplicated += 1
                self._deliver(left_ns, packet)

    def receive(self, now_ns: int) -> list[tuple[int, PacketT]]:
        """All that has arrived by ``now_ns``, in order of arrival: (arrival_ns, packet)."""
        arrived = []
        while self._flight and self._flight[0][0] <= now_ns:
            arrival_ns, _, packet = heapq.heappop(self._flight)
            arrived.append((arrival_ns, packet))
        return arrived

    @property
    def next_ns(self) -> int | None:
        """When the next packet arrives; None when nothing is under way."""
        return self._flight[0][0] if self._flight else None

    def _leave(self, now_ns: int, size_bytes: int) -> int | None:
        """When the packet has left through the link; None when its queue is full."""
        if not self.config.rate_bps:
            return now_ns
        begin_ns = max(now_ns, self._link_free_ns)
        waiting_bytes = (begin_ns - now_ns) * self.config.rate_bps // (8 * NS_PER_S)
        if waiting_bytes + size_bytes > self.config.queue_bytes:
            return None
        self._link_free_ns = begin_ns + size_bytes * 8 * NS_PER_S // self.config.rate_bps
        return self._link_free_ns

    def _hits(self, probability: float) -> bool:
        return probability > 0.0 and float(self._random.random()) < probability

    def _loses(self) -> bool:
        loss = self.config.loss
        if self._hits(loss.to_good if self._bad else loss.to_bad):
            self._bad = not self._bad
        return self._hits(loss.loss_bad if self._bad else loss.loss_good)

    def _jitter_ns(self) -> int:
        """First-order autoregressive; its magnitude delays."""
        config = self.config
        if not config.jitter_ms:
            return 0
        fresh = float(self._random.standard_normal())
        spread = sqrt(1.0 - config.correlation**2)
        self._swing = config.correlation * self._swing + spread * fresh
        return int(abs(self._swing) * config.jitter_ms * NS_PER_MS)

    def _deliver(self, left_ns: int, packet: PacketT) -> None:
        """A path keeps its order, but for what overtakes."""
        if len(self._flight) >= MAX_IN_FLIGHT:
            self.overflowed += 1
            return
        arrival_ns = left_ns + int(self.config.delay_ms * NS_PER_MS)
        jitter_ns = self._jitter_ns()
        if not self._hits(self.config.reorder):
            arrival_ns = self._last_ns = max(arrival_ns + jitter_ns, self._last_ns)
        self._order += 1
        heapq.heappush(self._flight, (arrival_ns, self._order, packet))
