"""Which declared metric each number of media's statistics page is exported as."""

from __future__ import annotations

from typing import Final, NamedTuple

from voiceroom_mixer.core.state.stats import DROP_REASONS


class Export(NamedTuple):
    """A metric's name, the label values of the sample, and what a word is multiplied by."""

    metric: str
    labels: dict[str, str]
    scale: float = 1.0


_NS: Final = 1e-9

_PLAIN: Final[dict[str, str]] = {
    "ticks": "voiceroom_ticks_total",
    "ticks_late": "voiceroom_ticks_late_total",
    "ticks_skipped": "voiceroom_ticks_skipped_total",
    "ticks_owed": "voiceroom_ticks_owed_total",
    "frames_mixed": "voiceroom_frames_mixed_total",
    "talkers_cut": "voiceroom_talkers_cut_total",
    "rx_packets": "voiceroom_rx_packets_total",
    "rx_bytes": "voiceroom_rx_bytes_total",
    "tx_packets": "voiceroom_tx_packets_total",
    "tx_bytes": "voiceroom_tx_bytes_total",
    "tx_errors": "voiceroom_tx_errors_total",
    "tx_eagain": "voiceroom_tx_eagain_total",
    "stun_requests": "voiceroom_stun_requests_total",
    "stun_errors": "voiceroom_stun_errors_total",
    "encodes": "voiceroom_encodes_total",
    "decodes": "voiceroom_decodes_total",
    "silence_frames_out": "voiceroom_silence_frames_sent_total",
    "refill_timeouts": "voiceroom_jb_refill_timeouts_total",
    "jb_overflows": "voiceroom_jb_overflows_total",
    "jb_resets": "voiceroom_jb_resets_total",
    "jb_cuts": "voiceroom_jb_cuts_total",
    "source_changes": "voiceroom_source_changes_total",
    "pcm_hits": "voiceroom_pcm_pool_hits_total",
    "pcm_misses": "voiceroom_pcm_pool_misses_total",
    "pcm_leaked": "voiceroom_pcm_pool_leaked_total",
    "pcm_bytes_allocated": "voiceroom_pcm_bytes_allocated_total",
    "events_sent": "voiceroom_media_events_sent_total",
    "events_dropped": "voiceroom_media_events_dropped_total",
    "commands": "voiceroom_media_commands_total",
    "leg_faults": "voiceroom_leg_faults_total",
    "clock_backsteps": "voiceroom_clock_backsteps_total",
    "clock_corrections": "voiceroom_clock_corrections_total",
    "legs": "voiceroom_legs",
    "talkers": "voiceroom_talkers",
    "rooms": "voiceroom_rooms",
    "port_unreachable": "voiceroom_port_unreachable_total",
    "gc_collections": "voiceroom_gc_collections_total",
    "ladder_level": "voiceroom_ladder_level",
    "scheduling_alarms": "voiceroom_scheduling_alarms_total",
    "rooms_expired": "voiceroom_frames_expired_total",
    "checks_unanswered": "voiceroom_stun_checks_unanswered_total",
    "clocksource_changes": "voiceroom_clocksource_changes_total",
}

SHARED_COUNTERS: Final[dict[str, Export]] = {
    **{word: Export(metric, {}) for word, metric in _PLAIN.items()},
    **{
        f"drop_{reason}": Export("voiceroom_rx_dropped_total", {"reason": reason})
        for reason in DROP_REASONS
    },
    "rtcp_rx": Export("voiceroom_rtcp_packets_total", {"direction": "rx"}),
    "rtcp_tx": Export("voiceroom_rtcp_packets_total", {"direction": "tx"}),
    "rooms_moved": Export("voiceroom_rooms_changed_total", {"how": "moved"}),
    "rooms_taken": Export("voiceroom_rooms_changed_total", {"how": "taken"}),
    "rooms_stopped": Export("voiceroom_rooms_changed_total", {"how": "stopped"}),
    "relayed_up": Export("voiceroom_relayed_datagrams_total", {"direction": "up"}),
    "relayed_down": Export("voiceroom_relayed_datagrams_total", {"direction": "down"}),
    "plc_frames": Export("voiceroom_concealed_frames_total", {"method": "plc"}),
    "fec_frames": Export("voiceroom_concealed_frames_total", {"method": "fec"}),
    "noise_frames": Export("voiceroom_concealed_frames_total", {"method": "noise"}),
    "ladder_down": Export("voiceroom_ladder_steps_total", {"direction": "down"}),
    "ladder_up": Export("voiceroom_ladder_steps_total", {"direction": "up"}),
    "packets_passed": Export("voiceroom_passed_on_packets_total", {"result": "sent"}),
    "packets_not_passed": Export("voiceroom_passed_on_packets_total", {"result": "dropped"}),
    "jb_shortened_ns": Export("voiceroom_jb_adjusted_seconds_total", {"how": "shortened"}, _NS),
    "jb_repeated_ns": Export("voiceroom_jb_adjusted_seconds_total", {"how": "repeated"}, _NS),
    **{
        f"breach_{tier}": Export("voiceroom_tolerance_breaches_total", {"tier": tier})
        for tier in ("packetisation", "queue", "network")
    },
    **{
        f"acted_{action}": Export("voiceroom_tolerance_actions_total", {"action": action})
        for action in ("depth", "buffer", "fec", "ice_restart")
    },
    "throttled_ns": Export("voiceroom_throttled_seconds_total", {}, _NS),
    "steal_ns": Export("voiceroom_steal_seconds_total", {}, _NS),
    "tick_interval_ns": Export("voiceroom_tick_interval_seconds", {}, _NS),
    "frame_ns": Export("voiceroom_frame_seconds", {}, _NS),
    "clock_error_ns": Export("voiceroom_clock_error_seconds", {}, _NS),
    "breaker_state": Export("voiceroom_breaker_state", {}),
    **{
        f"breaker_to_{state}": Export("voiceroom_breaker_transitions_total", {"to": state})
        for state in ("closed", "half_open", "open")
    },
    "max_lateness_ns": Export("voiceroom_tick_lateness_max_seconds", {}, _NS),
    "max_work_ns": Export("voiceroom_tick_work_max_seconds", {}, _NS),
}
"""By the word's name in ``core.state.stats.INDEX``. Over several media processes the words add
up, but for ``MAXIMA``."""

MAXIMA: Final = frozenset(
    {
        "max_lateness_ns",
        "max_work_ns",
        "breaker_state",
        "ladder_level",
        "tick_interval_ns",
        "frame_ns",
        "clock_error_ns",
        "throttled_ns",
        "steal_ns",
        "clocksource_changes",
    }
)
"""Of these the greatest counts, not the sum: each process reads the same books of pod and node."""

SHARED_HISTOGRAMS: Final[dict[str, Export]] = {
    "tick_late": Export("voiceroom_tick_lateness_seconds", {"side": "late"}),
    "tick_early": Export("voiceroom_tick_lateness_seconds", {"side": "early"}),
    "tick_work": Export("voiceroom_tick_work_seconds", {}),
    "media_jitter": Export("voiceroom_media_jitter_seconds", {}),
    "gc_pause_0": Export("voiceroom_gc_pause_seconds", {"generation": "0"}),
    "gc_pause_1": Export("voiceroom_gc_pause_seconds", {"generation": "1"}),
    "gc_pause_2": Export("voiceroom_gc_pause_seconds", {"generation": "2"}),
    "stun_rtt": Export("voiceroom_stun_rtt_seconds", {}),
    **{
        f"delay_{part}": Export("voiceroom_delay_seconds", {"part": part})
        for part in ("origin", "network", "buffer", "mix", "encode")
    },
    "run_delay": Export("voiceroom_run_delay_seconds", {}),
}
"""By the histogram's name in ``core.state.stats.HISTOGRAMS``; its sum is in nanoseconds."""
