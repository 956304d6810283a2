"""What one sender's packets say of the way they came: RFC 3550 A.1 (sequence), A.3 (loss), A.8
(jitter), and the extremes of transit time that the jitter buffer needs.

Arrival times are the caller's, on one steady clock; no wall time enters. ``observe`` runs for
every packet, so its usual case stands in one function.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_S, SAMPLE_RATE, timestamp_diff

MAX_DROPOUT: Final = 3_000
MAX_MISORDER: Final = 200
"""As many packets as the jitter buffer holds."""
MAX_MISSING: Final = 512
"""Remembered holes: what comes behind them is a duplicate."""
JUMP_NS: Final = NS_PER_S
"""A change of transit beyond this is another timeline, not jitter."""

_WRAP: Final = 1 << 32
_NO_LOW: Final = 1 << 62


class Arrival(IntEnum):
    """How a packet stands to those before it."""

    NEXT = 0
    GAP = 1
    """Packets are missing before it."""
    JUMPED = 2
    """In sequence, but its timestamp is another timeline: transit changed by more than 1 s."""
    REORDERED = 3
    DUPLICATE = 4
    SUSPECT = 5
    """Far outside the sequence; the next one decides (RFC 3550 A.1)."""
    RESTARTED = 6
    """Two in a row far outside: the sender began anew."""


_NEXT: Final = Arrival.NEXT


class Loss(NamedTuple):
    """RFC 3550 A.3."""

    fraction: int
    """Since the report before, in 1/256."""
    cumulative: int
    """Signed; within 24 bits."""


class ReceptionFigures:
    """The figures of one SSRC, and what follows from them. Transit is arrival minus timestamp, in
    ns with an unknown offset. Who holds the figures, and counts, is the subclass's business."""

    base: int
    highest: int
    index: int
    received: int
    jitter_ns: int
    timestamp: int
    """Extended timestamp of the highest packet."""
    stamp: int
    """Extended timestamp of the packet that was observed last."""
    transit_ns: int
    low_ns: int
    high_ns: int
    expected_before: int
    received_before: int
    bad_seq: int

    def begin(self, index: int, timestamp: int, arrival_ns: int) -> None:
        """Begin with a first packet: extended sequence number ``index``."""
        self.base = self.highest = self.index = index
        self.received = 1
        self.jitter_ns = 0
        self.expected_before = self.received_before = 0
        self.bad_seq = -1
        self.forget_missing()
        self.timestamp = self.stamp = _WRAP + timestamp
        self.begin_timeline(arrival_ns)

    def begin_timeline(self, arrival_ns: int) -> None:
        """What was learnt of transit is void."""
        self.transit_ns = self.low_ns = self.high_ns = transit_ns(arrival_ns, self.timestamp)

    def resume(
        self, before: int, packets: int, lost: int, *, index: int, timestamp: int, arrival_ns: int
    ) -> None:
        """Go on with a stream of which another process saw ``packets`` up to ``before``; the
        first packet here is ``index``."""
        self.begin(index, timestamp, arrival_ns)
        self.base = before + 1 - packets - lost
        self.received = packets + 1
        self.expected_before = packets + lost
        self.received_before = packets

    def forgive(self) -> None:
        """What has not come so far went elsewhere: nothing counts as lost."""
        self.received = self.highest - self.base + 1
        self.expected_before = self.received_before = self.received
        self.forget_missing()

    def observe(self, seq: int, timestamp: int, arrival_ns: int) -> Arrival:
        """Take a packet in; afterwards ``index`` and ``stamp`` are its extended numbers."""
        raise NotImplementedError

    def forget_missing(self) -> None:
        """No packet is awaited any more."""
        raise NotImplementedError

    def take_window(self) -> tuple[int, int] | None:
        """Lowest and highest transit in ns since the last call; None when nothing came."""
        window = self.low_ns, self.high_ns
        self.low_ns, self.high_ns = _NO_LOW, -_NO_LOW
        return window if window[0] <= window[1] else None

    @property
    def cumulative_lost(self) -> int:
        """A.3: expected less received; late and duplicate packets count as received."""
        lost = self.highest - self.base + 1 - self.received
        return max(-0x80_0000, min(lost, 0x7F_FFFF))

    @property
    def jitter_samples(self) -> int:
        """Interarrival jitter in timestamp units, as reports carry it."""
        return self.jitter_ns * SAMPLE_RATE // NS_PER_S

    def report_loss(self) -> Loss:
        """A.3, and begin the next reporting interval."""
        expected = self.highest - self.base + 1
        expected_interval = expected - self.expected_before
        lost_interval = expected_interval - (self.received - self.received_before)
        self.expected_before, self.received_before = expected, self.received
        if expected_interval <= 0 or lost_interval <= 0:
            return Loss(0, self.cumulative_lost)
        return Loss(min(255, (lost_interval << 8) // expected_interval), self.cumulative_lost)


class Reception(ReceptionFigures):
    """Figures of one SSRC, counted in Python."""

    __slots__ = (
        "_missing",
        "bad_seq",
        "base",
        "expected_before",
        "high_ns",
        "highest",
        "index",
        "jitter_ns",
        "low_ns",
        "received",
        "received_before",
        "stamp",
        "timestamp",
        "transit_ns",
    )

    def __init__(self, index: int, timestamp: int, arrival_ns: int) -> None:
        """Begin with a first packet: extended sequence number ``index``."""
        self._missing: set[int] = set()
        self.begin(index, timestamp, arrival_ns)

    def forget_missing(self) -> None:
        """No packet is awaited any more."""
        self._missing.clear()

    def observe(self, seq: int, timestamp: int, arrival_ns: int) -> Arrival:
        """Take a packet in; afterwards ``index`` and ``stamp`` are its extended numbers."""
        ahead = (seq - self.highest) & 0xFFFF
        if ahead != 1:
            return self._out_of_step(ahead, seq, timestamp, arrival_ns)
        self.highest += 1
        self.received += 1
        return self._advance(timestamp, arrival_ns, _NEXT)

    def _advance(self, timestamp: int, arrival_ns: int, how: Arrival) -> Arrival:
        """The highest packet: timestamp, transit, jitter (A.8)."""
        step = (timestamp - self.timestamp) & 0xFFFF_FFFF
        stamp = self.timestamp = self.timestamp + (step if step < 0x8000_0000 else step - _WRAP)
        transit = arrival_ns - stamp * 62_500 // 3
        change = transit - self.transit_ns
        if change < 0:
            change = -change
        if change > JUMP_NS:
            self.index, self.stamp = self.highest, stamp
            self.begin_timeline(arrival_ns)
            return Arrival.JUMPED
        self.transit_ns = transit
        self.jitter_ns += (change - self.jitter_ns) >> 4
        if transit < self.low_ns:
            self.low_ns = transit
        if transit > self.high_ns:
            self.high_ns = transit
        self.index, self.stamp = self.highest, stamp
        return how

    def _out_of_step(self, ahead: int, seq: int, timestamp: int, arrival_ns: int) -> Arrival:
        behind = -ahead & 0xFFFF
        if 1 < ahead <= MAX_DROPOUT:
            begin = max(self.highest + 1, self.highest + ahead - MAX_MISSING)
            self._missing.update(range(begin, self.highest + ahead))
            self._forget_old()
            self.highest += ahead
            self.received += 1
            return self._advance(timestamp, arrival_ns, Arrival.GAP)
        if behind <= MAX_MISORDER:
            return self._behind(self.highest - behind, timestamp)
        if seq == self.bad_seq:
            self.begin(seq, timestamp, arrival_ns)
            return Arrival.RESTARTED
        self.bad_seq = (seq + 1) & 0xFFFF
        return Arrival.SUSPECT

    def _forget_old(self) -> None:
        if len(self._missing) > MAX_MISSING:
            self._missing = set(sorted(self._missing)[-MAX_MISSING:])

    def _behind(self, index: int, timestamp: int) -> Arrival:
        self.received += 1
        self.index = index
        self.stamp = self.timestamp + timestamp_diff(timestamp, self.timestamp & 0xFFFF_FFFF)
        if index not in self._missing:
            return Arrival.DUPLICATE
        self._missing.remove(index)
        return Arrival.REORDERED


def transit_ns(arrival_ns: int, stamp: int) -> int:
    """Arrival less the extended timestamp's time; only differences of it mean anything."""
    return arrival_ns - stamp * 62_500 // 3
