"""Metrics of the mixer's control process: its loop, its requests, its events."""

from __future__ import annotations

from typing import Final

from voiceroom_api.metric import Metric

LOOP_LAG_BUCKETS_S: Final = (1e-3, 5e-3, 10e-3, 20e-3, 50e-3, 0.1, 0.2, 0.5, 1.0, 5.0)
HANDSHAKE_BUCKETS_S: Final = (5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)

CONTROL: Final = (
    Metric(
        "voiceroom_loop_lag_seconds",
        "histogram",
        "How late control's event loop runs what is due.",
        "seconds",
        buckets=LOOP_LAG_BUCKETS_S,
    ),
    Metric(
        "voiceroom_loop_blocked_total",
        "counter",
        "Times that control's event loop stood still for more than 200 ms.",
    ),
    Metric(
        "voiceroom_lock_wait_seconds_total", "counter", "Time spent waiting for locks.", "seconds"
    ),
    Metric("voiceroom_tasks", "gauge", "asyncio tasks alive in control."),
    Metric("voiceroom_tasks_expected", "gauge", "asyncio tasks that there should be."),
    Metric(
        "voiceroom_process_restarts_total",
        "counter",
        "Starts of a process after the first.",
        labels=("process",),
        values={"process": ("media", "control", "clock-probe")},
    ),
    Metric("voiceroom_media_commands_total", "counter", "Messages from control that media read."),
    Metric("voiceroom_media_events_sent_total", "counter", "Messages from media to control."),
    Metric(
        "voiceroom_media_events_dropped_total",
        "counter",
        "Messages from media not sent because control did not read.",
    ),
    Metric(
        "voiceroom_commands_dropped_total",
        "counter",
        "Messages from control not sent because media did not read.",
    ),
    Metric("voiceroom_leg_faults_total", "counter", "Legs ended by a broken invariant: a bug."),
    Metric("voiceroom_log_suppressed_total", "counter", "Log lines left out to bound their rate."),
    Metric(
        "voiceroom_log_dropped_total",
        "counter",
        "Log lines of control that were lost because nobody took them.",
    ),
    Metric(
        "voiceroom_build_info", "info", "What is running.", labels=("version", "python", "libopus")
    ),
)

# What clients ask for.
HTTP: Final = (
    Metric(
        "voiceroom_http_requests_total",
        "counter",
        "HTTP requests by route pattern, method and status.",
        labels=("route", "method", "status"),
    ),
    Metric(
        "voiceroom_http_limited_total",
        "counter",
        "Requests refused with 429, by which limit.",
        labels=("limit",),
        values={"limit": ("anonymous", "token", "moderator", "pin")},
    ),
    Metric(
        "voiceroom_forwarded_requests_total",
        "counter",
        "Requests for rooms of other pods: passed on, not passed on because the owner did not "
        "answer, or because too many were on their way.",
        labels=("result",),
        values={"result": ("ok", "unreachable", "busy")},
    ),
    Metric(
        "voiceroom_http_limiter_evictions_total",
        "counter",
        "Rate-limit buckets forgotten to make room for newer ones.",
    ),
    Metric(
        "voiceroom_auth_failures_total",
        "counter",
        "Requests refused for their token or PIN, by error code.",
        labels=("reason",),
        values={"reason": ("invalid_token", "expired_token", "forbidden", "wrong_pin")},
    ),
    Metric(
        "voiceroom_joins_total",
        "counter",
        "Joins, by result: ok, or the error code.",
        labels=("result",),
        values={"result": ("ok", "pod_full", "room_full", "locked", "draining")},
    ),
    Metric(
        "voiceroom_reconnects_total",
        "counter",
        "People who came back: with another connection in place of one (rejoin), or on another "
        "path (ice_restart), which a move asks of pages as well.",
        labels=("how",),
        values={"how": ("rejoin", "ice_restart")},
    ),
    Metric(
        "voiceroom_reconnect_storms_total",
        "counter",
        "People who came back three times within a minute, but for what their pages were asked; "
        "counted again only after a pause.",
    ),
    Metric(
        "voiceroom_dtls_handshakes_total",
        "counter",
        "DTLS handshakes, by result.",
        labels=("result",),
        values={"result": ("ok", "failed", "timeout")},
    ),
    Metric(
        "voiceroom_dtls_handshake_seconds",
        "histogram",
        "From a client's first DTLS record to the keys.",
        "seconds",
        buckets=HANDSHAKE_BUCKETS_S,
    ),
    Metric(
        "voiceroom_chaos_injections_total",
        "counter",
        "Faults that were injected on order, by kind (docs/chaos.md).",
        labels=("kind",),
        values={"kind": ("step", "saw", "rate", "freeze")},
    ),
    Metric("voiceroom_chaos_active", "gauge", "1 while a fault is being injected on order."),
    Metric("voiceroom_events_published_total", "counter", "Events published to rooms' listeners."),
    Metric("voiceroom_event_subscribers", "gauge", "Open event streams.", stability="alpha"),
    Metric(
        "voiceroom_events_dropped_total",
        "counter",
        "Events not delivered because their reader was slow and was cut off.",
    ),
)
