"""How much of a leg's time may be wrong, in three tiers, and what is done beyond (article §5.3).

Packetisation (0.5 ms): packets of an irregular sender come early and late; the depth of his jitter
buffer is then held nearer to its target. Queue (2 ms): whole pieces of quiet sound are left out or
said twice (``playout.TOLERANCE_SAMPLES``); here it is only told. Network (50 ms): the round trip
rises above the best of the last minutes; more is buffered, mixes for that leg are protected by
FEC, and where it lasts the page is asked for another path.

Time is an argument; all memory is bounded.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_MS, NS_PER_S

PACKETISATION_NS: Final = NS_PER_MS // 2
NETWORK_NS: Final = 50 * NS_PER_MS
EXTRA_MS: Final = 40
"""More of jitter buffer while the network is beyond its tolerance; level 3 of the ladder adds as
much."""
CALM_NS: Final = 30 * NS_PER_S
"""A breach ends so long after the last thing that was beyond the tolerance."""
ROUND_TRIPS: Final = 24
"""The best of so many is what the path can do: two minutes of checks."""
RESTART_AFTER_NS: Final = 10 * NS_PER_S
"""More buffer and FEC come first: most rises are over by then."""
FIRST_PAUSE_NS: Final = 60 * NS_PER_S
LAST_PAUSE_NS: Final = 16 * FIRST_PAUSE_NS
"""Between two wishes for another path: doubled each time that the one before has not helped."""


class Seen(NamedTuple):
    """One look at a leg, about once a second."""

    jitter_ns: int = 0
    """Interarrival jitter of what it sends (RFC 3550 A.8); 0 while it sends nothing."""
    adjusted_samples: int = 0
    """Of quiet sound, left out or said twice since the beginning."""
    rtt_ns: int = 0
    """A new round trip; 0 = none since the last look."""


class Measures(NamedTuple):
    """What is done for one leg now."""

    tight: bool = False
    """Depth is held within 0.5 ms of its target."""
    protect: bool = False
    """FEC in what it hears."""
    extra_ms: int = 0
    """More jitter buffer for what it sends."""


NONE: Final = Measures()


class Breach:
    """Begins with the ``count``-th offence within ``within_ns``; ends after ``CALM_NS`` without."""

    __slots__ = ("_count", "_times", "_within_ns", "begun", "lasts", "since_ns")

    def __init__(self, count: int, within_ns: int) -> None:
        self._times: tuple[int, ...] = ()
        self._count, self._within_ns = count, within_ns
        self.lasts = False
        self.begun = 0
        """How often."""
        self.since_ns = 0

    def look(self, now_ns: int, *, offends: bool) -> None:
        """One look, or none of use."""
        if offends:
            self._times = (*self._times, now_ns)[-self._count :]
        times = self._times
        if self.lasts:
            self.lasts = now_ns - times[-1] < CALM_NS
        elif offends and len(times) == self._count and now_ns - times[0] <= self._within_ns:
            self.lasts, self.since_ns = True, now_ns
            self.begun += 1

    @property
    def last_ns(self) -> int:
        """The newest offence; 0 before the first."""
        return self._times[-1] if self._times else 0


class Tolerance:
    """One leg's three tiers."""

    __slots__ = (
        "_adjusted",
        "_next_ns",
        "_pause_ns",
        "_trips",
        "network",
        "packetisation",
        "queue",
    )

    def __init__(self) -> None:
        self.packetisation = Breach(3, 5 * NS_PER_S)
        self.queue = Breach(1, 0)
        self.network = Breach(3, 20 * NS_PER_S)
        self._trips: deque[int] = deque(maxlen=ROUND_TRIPS)
        self._adjusted = 0
        self._pause_ns = FIRST_PAUSE_NS
        self._next_ns = 0

    def look(self, seen: Seen, now_ns: int) -> Measures:
        """What is to be done from now on."""
        self.packetisation.look(now_ns, offends=seen.jitter_ns > PACKETISATION_NS)
        self.queue.look(now_ns, offends=seen.adjusted_samples > self._adjusted)
        self._adjusted = seen.adjusted_samples
        self.network.look(now_ns, offends=self._far(seen.rtt_ns))
        if not self.network.lasts and now_ns - self.network.last_ns > LAST_PAUSE_NS:
            self._pause_ns = FIRST_PAUSE_NS
        bad = self.network.lasts
        return Measures(self.packetisation.lasts, bad, EXTRA_MS if bad else 0)

    def _far(self, rtt_ns: int) -> bool:
        if not rtt_ns:
            return False
        self._trips.append(rtt_ns)
        return rtt_ns - min(self._trips) > NETWORK_NS

    @property
    def best_rtt_ns(self) -> int:
        """What the path can do; 0 = not known."""
        return min(self._trips, default=0)

    def new_path(self) -> None:
        """What the old one could do says nothing of it."""
        self._trips.clear()

    @property
    def suspects(self) -> bool:
        """The newest round trip was too long: the next one is worth asking for soon."""
        trips = self._trips
        return bool(trips) and trips[-1] - min(trips) > NETWORK_NS

    def wants_another_path(self, now_ns: int) -> bool:
        """The breach goes on in spite of what is done, and the last wish is long enough ago."""
        lasts = self.network.lasts and self.suspects
        return lasts and now_ns >= max(self.network.since_ns + RESTART_AFTER_NS, self._next_ns)

    def asked_for_another_path(self, now_ns: int) -> None:
        """The page has been asked."""
        self._next_ns = now_ns + self._pause_ns
        self._pause_ns = min(2 * self._pause_ns, LAST_PAUSE_NS)
