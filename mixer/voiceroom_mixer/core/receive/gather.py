"""The counters of one sender, from the parts of his receiver that keep them."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import samples_to_ns
from voiceroom_mixer.core.receive.model import ReceiverStats
from voiceroom_mixer.core.receive.pace import Pace
from voiceroom_mixer.core.receive.playout import Playout
from voiceroom_mixer.core.receive.refill import RefillWatch
from voiceroom_mixer.core.receive.stream import NO_SSRC, StreamFigures

_NS_PER_US: Final = 1_000


def gather(
    stats: ReceiverStats, stream: StreamFigures, playout: Playout, watch: RefillWatch, pace: Pace
) -> ReceiverStats:
    """``stats`` with all that its owner does not count itself."""
    known, counts = stream.ssrc != NO_SSRC, playout.counts
    stats.rx_packets = stream.received if known else 0
    stats.rx_lost = stream.cumulative_lost if known else 0
    stats.rx_octets = stream.octets
    stats.concealed_frames, stats.fec_frames = counts.concealed_frames, counts.fec_frames
    stats.decode_errors = counts.decode_errors
    stats.overflows = playout.buffer.overflows
    stats.refill_timeouts, stats.events_dropped = watch.timeouts, watch.dropped
    stats.jitter_us = stream.jitter_ns // _NS_PER_US
    stats.buffer_us = samples_to_ns(playout.buffered) // _NS_PER_US
    stats.target_us, stats.skew_ppb = pace.target_us, pace.skew_ppb
    stats.base_ns = pace.path.base_ns
    return stats
