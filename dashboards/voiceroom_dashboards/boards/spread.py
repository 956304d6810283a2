"""How a bad timer spreads to what is heard (the article's S3.1)."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.boards.model import Panel, Query, Row
from voiceroom_dashboards.boards.podqueries import DRIFT, EACH_POD, LATE, counter, p99
from voiceroom_dashboards.boards.queries import BY_POD, NODES, PODS, pick, trend, worst
from voiceroom_dashboards.rules import recording

WAY: Final = Row(
    "How it spreads",
    "From the timer to the ear, left to right and down: the first picture that is bad is where it "
    "begins, and what stands after it are consequences.",
    (
        Panel(
            "1. Timers of the node",
            "How late a sleep woke, the greatest of a minute, worst CPU of each node.",
            "s",
            (Query(trend(pick(DRIFT, NODES), "node"), "{{node}}"),),
            width=8,
            steps=LATE,
        ),
        Panel(
            "2. Ticks of media",
            "Lateness at p99.",
            "s",
            (Query(worst(pick(recording.LATE_P99, PODS), BY_POD), EACH_POD),),
            width=8,
            steps=LATE,
        ),
        Panel(
            "3. Control's loop",
            "Lag at p99: joins and events wait for it, sound does not.",
            "s",
            (p99("voiceroom_loop_lag_seconds"),),
            width=8,
        ),
        Panel(
            "4. Sockets",
            "Datagrams dropped when received, and not sent as the socket was full.",
            "pps",
            (
                counter("voiceroom_rx_dropped_total", "{{pod}} dropped"),
                counter("voiceroom_tx_eagain_total", "{{pod}} full"),
            ),
            width=8,
        ),
        Panel(
            "5. Jitter as it arrives",
            "Of the legs' packets at p99 (RFC 3550): media that reads late sees none of it, as the "
            "kernel stamps arrivals.",
            "s",
            (p99("voiceroom_media_jitter_seconds"),),
            width=8,
        ),
        Panel(
            "6. What is heard",
            "Frames made up for those that did not come in time, per second.",
            "ops",
            (counter("voiceroom_concealed_frames_total"),),
            width=8,
        ),
    ),
    ("VoiceroomTicksLate", "VoiceroomLoopBlocked", "VoiceroomJitterBufferRefillStorm"),
)
