"""The values around a ``Receiver``: its settings, its counters, its results, its tick."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from voiceroom_mixer.core.rtp.reception import Arrival


class Arrived(NamedTuple):
    """One packet as it came, for the uncommon ways of it."""

    seq: int
    timestamp: int
    payload: bytes
    level: int
    voice: bool
    arrival_ns: int


class Taken(NamedTuple):
    """A packet whose place in the stream is known: observed and counted."""

    how: Arrival
    number: int
    """Extended sequence number."""
    stamp: int
    """Extended timestamp."""
    low_ns: int
    """Lowest transit of the open window, this packet included."""
    arrival_ns: int
    quiet: bool
    """Carries no sound."""
    level: int
    voice: bool
    payload: bytes


class PushResult(IntEnum):
    """What became of a packet."""

    ACCEPTED = 0
    LATE = 1
    DUPLICATE = 2
    PROBATION = 3
    """Of another SSRC, or far out of sequence, and not believed yet."""
    REPLAYED = 4
    """Played before this process began."""


class TickTime:
    """The due time of the tick that is being mixed, on the clock of the arrivals. One object is
    shared by all receivers; the loop sets it before it mixes."""

    __slots__ = ("extra_samples", "now_ns")

    def __init__(self) -> None:
        self.extra_samples = 0
        """All sound is to wait for so much more than its jitter asks for."""
        self.now_ns = 0
        """0 = never set: receivers then take their last arrival for the time."""


@dataclass(slots=True)
class Hold:
    """How the delay of one sender is held, beside what his jitter asks for."""

    extra_samples: int = 0
    """He is to wait for so much more."""
    tight: bool = False
    """Small distances from the target are worth resampling."""


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """Settings of a leg's jitter buffer.

    Raises ``ValueError`` for bounds that are not ``0 < min_ms <= max_ms``.
    """

    min_ms: int = 20
    max_ms: int = 200
    frame_samples: int = 960
    level_ext: bool = True
    """The sender was offered RFC 6464 levels."""

    def __post_init__(self) -> None:
        if not 0 < self.min_ms <= self.max_ms:
            raise ValueError(f"jitter buffer of {self.min_ms}..{self.max_ms} ms")


@dataclass(slots=True)
class ReceiverStats:
    """Plain counters, by the names of ``layout.MEDIA_COLUMNS`` where those have them."""

    rx_packets: int = 0
    rx_octets: int = 0
    rx_lost: int = 0
    rx_late: int = 0
    rx_duplicate: int = 0
    concealed_frames: int = 0
    fec_frames: int = 0
    refill_timeouts: int = 0
    jitter_us: int = 0
    buffer_us: int = 0
    target_us: int = 0
    skew_ppb: int = 0
    base_ns: int = 0
    """The fastest transit, as ``PathDelay`` has it."""
    overflows: int = 0
    resets: int = 0
    source_changes: int = 0
    decode_errors: int = 0
    events_dropped: int = 0


@dataclass(slots=True)
class PlayoutCounts:
    """Plain counters of one sender."""

    concealed_frames: int = 0
    """Frames with any concealment or comfort noise in them."""
    fec_frames: int = 0
    """Packets recovered from the one behind them."""
    late: int = 0
    decode_errors: int = 0
    cuts: int = 0
    shortened_samples: int = 0
    repeated_samples: int = 0


@dataclass(frozen=True, slots=True)
class ReceiverSnapshot:
    """What a successor must know, by the names of the columns."""

    rx_ssrc: int
    rx_index: int
    """Highest extended sequence number: nothing up to it is played again."""
    target_us: int
    skew_ppb: int
    rx_lost: int = 0
    rx_packets: int = 0
