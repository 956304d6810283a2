"""Where media's process-wide numbers stand in the shared statistics page.

Plain int64 words with one writer (media); control exports them at scrape. A histogram takes one
word for each bucket (not cumulative), one for overflow, one for the sum in its unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LATENESS_EDGES_US: Final = (
    50,
    100,
    120,  # the limit of a grey release on bare metal: a limit on an edge is held to exactly
    250,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
)
JITTER_EDGES_US: Final = (
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    30_000,
    50_000,
    100_000,
    200_000,
)
RTT_EDGES_US: Final = (
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    5_000_000,
)
DELAY_EDGES_US: Final = (
    100,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
)
GC_EDGES_US: Final = (50, 100, 250, 500, 1_000, 2_000, 5_000, 10_000, 50_000)

DROP_REASONS: Final = (
    "empty",
    "truncated",
    "not_stun",
    "stun_unknown_user",
    "stun_integrity",
    "stun_held",
    "unknown_source",
    "dtls_no_session",
    "dtls_queue_full",
    "srtp_auth",
    "srtp_replay",
    "srtp_no_keys",
    "rtp_malformed",
    "rtp_payload_type",
    "rtp_ssrc",
    "rtp_too_large",
    "rtcp_malformed",
    "not_allowed",
    "relay",
    "relay_auth",
    "relay_malformed",
    "relay_unknown",
    "stun_quiet",
    "socket_overflow",
)
"""Values of ``reason`` in voiceroom_rx_dropped_total."""

COUNTERS: Final = (
    "ticks",
    "ticks_late",
    "ticks_skipped",
    "frames_mixed",
    "talkers_cut",
    "rx_packets",
    "rx_bytes",
    "tx_packets",
    "tx_bytes",
    "tx_errors",
    "tx_eagain",
    "rtcp_rx",
    "rtcp_tx",
    "stun_requests",
    "stun_errors",
    "encodes",
    "decodes",
    "plc_frames",
    "fec_frames",
    "noise_frames",
    "silence_frames_out",
    "refill_timeouts",
    "jb_overflows",
    "jb_resets",
    "source_changes",
    "pcm_hits",
    "pcm_misses",
    "pcm_leaked",
    "pcm_bytes_allocated",
    "events_sent",
    "events_dropped",
    "commands",
    "leg_faults",
    "clock_backsteps",
    "max_lateness_ns",
    "max_work_ns",  # over the last 60 s, rotating windows
    "legs",
    "talkers",
    "rooms",
    "port_unreachable",
    "gc_collections",
    "relayed_up",
    "relayed_down",
    "rooms_moved",
    "rooms_taken",
    "rooms_stopped",
    "breaker_state",  # core.defend.breaker.Breaker
    "breaker_to_closed",
    "breaker_to_half_open",
    "breaker_to_open",
    "ladder_level",
    "ladder_down",
    "ladder_up",
    "scheduling_alarms",
    "packets_passed",
    "packets_not_passed",
    "tick_interval_ns",
    "rooms_expired",
    "jb_shortened_ns",
    "jb_repeated_ns",
    "jb_cuts",
    "checks_unanswered",
    "throttled_ns",
    "steal_ns",
    "clocksource_changes",
    "breach_packetisation",
    "breach_queue",
    "breach_network",
    "acted_depth",
    "acted_buffer",
    "acted_fec",
    "acted_ice_restart",
    "clock_error_ns",
    "clock_corrections",
    "ticks_owed",
    "frame_ns",  # the shortest frame of the rooms; ticks are further apart while nobody listens
)


@dataclass(frozen=True, slots=True)
class HistogramSpec:
    """A histogram in the page; ``edges`` in microseconds, the sum in nanoseconds."""

    name: str
    edges_us: tuple[int, ...]

    @property
    def words(self) -> int:
        """Buckets, overflow, sum in ns."""
        return len(self.edges_us) + 2


HISTOGRAMS: Final = (
    HistogramSpec("tick_late", LATENESS_EDGES_US),
    HistogramSpec("tick_early", LATENESS_EDGES_US),
    HistogramSpec("tick_work", LATENESS_EDGES_US),
    HistogramSpec("media_jitter", JITTER_EDGES_US),
    HistogramSpec("gc_pause_0", GC_EDGES_US),
    HistogramSpec("gc_pause_1", GC_EDGES_US),
    HistogramSpec("gc_pause_2", GC_EDGES_US),
    HistogramSpec("stun_rtt", RTT_EDGES_US),
    HistogramSpec("run_delay", LATENESS_EDGES_US),
    HistogramSpec("delay_origin", DELAY_EDGES_US),
    HistogramSpec("delay_network", DELAY_EDGES_US),
    HistogramSpec("delay_buffer", DELAY_EDGES_US),
    HistogramSpec("delay_mix", DELAY_EDGES_US),
    HistogramSpec("delay_encode", DELAY_EDGES_US),
)


def _index() -> tuple[dict[str, int], int]:
    index: dict[str, int] = {}
    at = 0
    for name in COUNTERS:
        index[name] = at
        at += 1
    for reason in DROP_REASONS:
        index[f"drop_{reason}"] = at
        at += 1
    for histogram in HISTOGRAMS:
        index[histogram.name] = at
        at += histogram.words
    return index, at


INDEX, WORDS = _index()
"""Word of each counter, of ``drop_<reason>``, and of the first bucket of each histogram."""

TICK_FIELDS: Final = (
    "slot",
    "late_ns",
    "work_ns",
    "skipped",
    "legs",
    "talkers",
    "sent",
    "received",
)
TICK_WORDS: Final = len(TICK_FIELDS)
