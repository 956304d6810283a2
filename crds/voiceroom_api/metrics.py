"""Every metric of the mixer, declared once.

Exposition, dashboards, alert rules and ``docs/metrics.md`` derive from this table. Base units;
counters are named as they are exposed (``_total``), info metrics end in ``_info``. A participant
is never a label; ``room`` is one on few gauges only, and capped by the exporter.
"""

from __future__ import annotations

from typing import Final

from voiceroom_api.clock_metrics import CLOCK
from voiceroom_api.control_metrics import CONTROL, HTTP
from voiceroom_api.metric import LATENESS_BUCKETS_S, Metric
from voiceroom_api.probe_metrics import TIMERS

JITTER_BUCKETS_S: Final = (
    500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 30e-3, 50e-3, 100e-3, 200e-3,
)  # fmt: skip
DELAY_BUCKETS_S: Final = (
    100e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3, 200e-3, 500e-3, 1.0,
)  # fmt: skip
RTT_BUCKETS_S: Final = (
    1e-3, 2e-3, 5e-3, 10e-3, 20e-3, 50e-3, 100e-3, 200e-3, 500e-3, 1.0, 5.0,
)  # fmt: skip
GC_BUCKETS_S: Final = (50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2e-3, 5e-3, 10e-3, 50e-3)


# Time and mixing: from the media processes' statistics pages.
_MEDIA: Final = (
    Metric(
        "voiceroom_tick_lateness_seconds",
        "histogram",
        "How far from its deadline a tick began, late and early apart.",
        "seconds",
        ("side",),
        LATENESS_BUCKETS_S,
        values={"side": ("late", "early")},
    ),
    Metric(
        "voiceroom_tick_work_seconds",
        "histogram",
        "Work of a tick: from its begin to the last packet sent.",
        "seconds",
        buckets=LATENESS_BUCKETS_S,
    ),
    Metric("voiceroom_ticks_total", "counter", "Ticks that were mixed."),
    Metric("voiceroom_ticks_late_total", "counter", "Ticks mixed late, by less than one frame."),
    Metric(
        "voiceroom_ticks_skipped_total",
        "counter",
        "Ticks not mixed because they were late by a frame or more.",
    ),
    Metric(
        "voiceroom_ticks_owed_total",
        "counter",
        "Of the skipped ticks those that were mixed all the same, together with the one that came.",
    ),
    Metric(
        "voiceroom_tick_lateness_max_seconds",
        "gauge",
        "Greatest lateness of the last 60 s; the same for every scraper.",
        "seconds",
    ),
    Metric(
        "voiceroom_tick_work_max_seconds",
        "gauge",
        "Longest tick work of the last 60 s; the same for every scraper.",
        "seconds",
    ),
    Metric(
        "voiceroom_breaker_state",
        "gauge",
        "The timing breaker: 0 closed, 1 half-open, 2 open; of several media processes the worst.",
    ),
    Metric(
        "voiceroom_breaker_transitions_total",
        "counter",
        "Times that the timing breaker came to be closed, half-open or open.",
        labels=("to",),
        values={"to": ("closed", "half_open", "open")},
    ),
    Metric(
        "voiceroom_ladder_level",
        "gauge",
        "What media has taken away to keep time, 0 = nothing, 5 = joins too; of several media "
        "processes the worst.",
    ),
    Metric(
        "voiceroom_ladder_steps_total",
        "counter",
        "Steps of the ladder: down takes more away, up gives back.",
        labels=("direction",),
        values={"direction": ("down", "up")},
    ),
    Metric(
        "voiceroom_scheduling_alarms_total",
        "counter",
        "Times that the node's clock probe said (SIGUSR1) that media had waited for a CPU for more "
        "than 500 us; what it said before one tick was over counts once.",
    ),
    Metric(
        "voiceroom_passed_on_packets_total",
        "counter",
        "Packets of loudest senders that were sent on as they came, or dropped as too many waited "
        "or it was too large; from level 4 of the ladder on.",
        labels=("result",),
        values={"result": ("sent", "dropped")},
    ),
    Metric(
        "voiceroom_frames_expired_total",
        "counter",
        "Rooms' frames that were mixed after the deadline of their pool (spec.scheduling), behind "
        "all others.",
    ),
    Metric(
        "voiceroom_tick_interval_seconds",
        "gauge",
        "Time between two ticks, 40 ms while nobody listens; of several media processes the "
        "longest.",
        "seconds",
    ),
    Metric(
        "voiceroom_frame_seconds",
        "gauge",
        "The shortest frame of the rooms, by which a tick is late; of several media processes the "
        "longest.",
        "seconds",
    ),
    Metric("voiceroom_frames_mixed_total", "counter", "Distinct mixes made."),
    Metric(
        "voiceroom_talkers_cut_total",
        "counter",
        "Talkers left out of a mix because the tick was running late.",
    ),
    Metric("voiceroom_encodes_total", "counter", "Opus frames encoded."),
    Metric("voiceroom_decodes_total", "counter", "Opus frames decoded."),
    Metric(
        "voiceroom_concealed_frames_total",
        "counter",
        "Frames made up for lost ones: by concealment, by in-band FEC, by comfort noise.",
        labels=("method",),
        values={"method": ("plc", "fec", "noise")},
    ),
    Metric("voiceroom_silence_frames_sent_total", "counter", "Frames of digital silence sent out."),
)

# Jitter buffers.
_RECEIVE: Final = (
    Metric(
        "voiceroom_media_jitter_seconds",
        "histogram",
        "Interarrival jitter of the legs (RFC 3550 A.8).",
        "seconds",
        buckets=JITTER_BUCKETS_S,
    ),
    Metric(
        "voiceroom_jb_refill_timeouts_total",
        "counter",
        "Jitter buffers unfilled for more than 120 ms and 3 consecutive frames.",
    ),
    Metric("voiceroom_jb_overflows_total", "counter", "Packets dropped from a full buffer."),
    Metric(
        "voiceroom_jb_adjusted_seconds_total",
        "counter",
        "Quiet sound that was left out (shortened) or said twice (repeated) to hold the delay at "
        "its target, beyond 2 ms from it.",
        "seconds",
        ("how",),
        values={"how": ("shortened", "repeated")},
    ),
    Metric(
        "voiceroom_jb_cuts_total",
        "counter",
        "Delays of 60 ms and more beyond the greatest allowed target that were cut at once.",
    ),
    Metric("voiceroom_jb_resets_total", "counter", "Jitter buffers begun anew."),
    Metric(
        "voiceroom_delay_seconds",
        "histogram",
        "Where the delay of sound comes from: from capture to the fastest arrival, of senders that "
        "stamp it (origin); half a round trip (network, which origin includes); jitter buffers; "
        "from when a tick was due to the sound being there (mix); mixing and encoding (encode).",
        "seconds",
        ("part",),
        DELAY_BUCKETS_S,
        values={"part": ("origin", "network", "buffer", "mix", "encode")},
    ),
    Metric(
        "voiceroom_tolerance_breaches_total",
        "counter",
        "Times that a leg went beyond a tolerance: 0.5 ms of jitter (packetisation), 2 ms from its "
        "target delay in quiet sound (queue), 50 ms of round trip above its best (network).",
        labels=("tier",),
        values={"tier": ("packetisation", "queue", "network")},
    ),
    Metric(
        "voiceroom_tolerance_actions_total",
        "counter",
        "What was done about it for a leg: depth held within 0.5 ms, 40 ms more buffer, FEC in "
        "what it hears, another path asked of its page.",
        labels=("action",),
        values={"action": ("depth", "buffer", "fec", "ice_restart")},
    ),
    Metric("voiceroom_source_changes_total", "counter", "Legs that went on with another SSRC."),
)

# Packets.
_NETWORK: Final = (
    Metric("voiceroom_rx_packets_total", "counter", "Datagrams received."),
    Metric("voiceroom_rx_bytes_total", "counter", "Bytes of datagrams received.", "bytes"),
    Metric("voiceroom_tx_packets_total", "counter", "Datagrams sent."),
    Metric("voiceroom_tx_bytes_total", "counter", "Bytes of datagrams sent.", "bytes"),
    Metric("voiceroom_tx_errors_total", "counter", "Datagrams that the kernel refused."),
    Metric("voiceroom_tx_eagain_total", "counter", "Sends refused because the socket was full."),
    Metric(
        "voiceroom_rx_dropped_total",
        "counter",
        "Datagrams received and dropped, by reason.",
        labels=("reason",),
    ),
    Metric(
        "voiceroom_rooms_changed_total",
        "counter",
        "Rooms that this pod began to mix by the word of the one before (moved) or without it "
        "(taken), or stopped mixing for good.",
        labels=("how",),
        values={"how": ("moved", "taken", "stopped")},
    ),
    Metric(
        "voiceroom_relayed_datagrams_total",
        "counter",
        "Datagrams of clients that stand at another pod than the one that mixes.",
        labels=("direction",),
        values={"direction": ("up", "down")},
    ),
    Metric(
        "voiceroom_relayed_legs",
        "gauge",
        "Legs of rooms that this pod has given away and relays for.",
    ),
    Metric(
        "voiceroom_unprotected_legs",
        "gauge",
        "WebRTC legs whose answer does not list the pod that stands by for their room now.",
    ),
    Metric(
        "voiceroom_rtcp_packets_total",
        "counter",
        "Compound RTCP packets.",
        labels=("direction",),
        values={"direction": ("rx", "tx")},
    ),
    Metric("voiceroom_stun_requests_total", "counter", "STUN requests answered."),
    Metric("voiceroom_stun_errors_total", "counter", "STUN requests answered with an error."),
    Metric(
        "voiceroom_stun_rtt_seconds",
        "histogram",
        "Round trips of STUN checks that we send along each connected WebRTC leg's path about "
        "every 5 s (RFC 7675), by the kernel's arrival times.",
        "seconds",
        buckets=RTT_BUCKETS_S,
    ),
    Metric(
        "voiceroom_stun_checks_unanswered_total",
        "counter",
        "Of these checks those that were not answered before the next one.",
    ),
    Metric(
        "voiceroom_port_unreachable_total", "counter", "ICMP port unreachable from a leg's address."
    ),
)

# How much there is.
_LOAD: Final = (
    Metric(
        "voiceroom_participants",
        "gauge",
        'Participants of a room; the rooms beyond the cap are summed as room="other".',
        labels=("room",),
    ),
    Metric("voiceroom_rooms", "gauge", "Rooms run by this process."),
    Metric("voiceroom_legs", "gauge", "Legs that media carries."),
    Metric("voiceroom_talkers", "gauge", "Legs heard at the last tick."),
    Metric(
        "voiceroom_ready", "gauge", "1 when joins are served: sockets, both processes, warm clock."
    ),
    Metric("voiceroom_draining", "gauge", "1 after the first SIGTERM."),
)

# Pools and garbage collection.
_MEMORY: Final = (
    Metric("voiceroom_pcm_pool_hits_total", "counter", "PCM buffers taken from the pool."),
    Metric(
        "voiceroom_pcm_pool_misses_total", "counter", "PCM buffers allocated: the pool was empty."
    ),
    Metric("voiceroom_pcm_pool_leaked_total", "counter", "PCM buffers that never came back."),
    Metric(
        "voiceroom_pcm_bytes_allocated_total", "counter", "Bytes of PCM buffers allocated.", "bytes"
    ),
    Metric(
        "voiceroom_gc_pause_seconds",
        "histogram",
        "Pauses of garbage collection in media, by generation.",
        "seconds",
        ("generation",),
        GC_BUCKETS_S,
        values={"generation": ("0", "1", "2")},
    ),
    Metric("voiceroom_gc_collections_total", "counter", "Garbage collections in media."),
)

# Clocks of the node.
# The control process.
METRICS: Final[tuple[Metric, ...]] = (
    *_MEDIA,
    *_RECEIVE,
    *_NETWORK,
    *_LOAD,
    *_MEMORY,
    *CLOCK,
    *TIMERS,
    *CONTROL,
    *HTTP,
)
BY_NAME: Final[dict[str, Metric]] = {metric.name: metric for metric in METRICS}
