"""Room: what people in one room hear, by the figures of the pods that have them."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.boards.model import Board, Panel, Query, Row
from voiceroom_dashboards.boards.queries import (
    BY_POD,
    NAMESPACE,
    ONE_ROOM,
    ROOM,
    of_room,
    per_s,
    pick,
    quantile,
    total,
    worst,
)
from voiceroom_dashboards.rules import recording

_HERE: Final = 'namespace=~"$namespace"'
_POD: Final = "{{pod}}"


def _pods(expr: str, legend: str = _POD) -> Query:
    return Query(of_room(expr), legend)


def _each_s(counter: str, more: str = "", legend: str = _POD, label: str = "") -> Query:
    by = f"{BY_POD}, {label}" if label else BY_POD
    return _pods(per_s(pick(f"voiceroom_{counter}", _HERE, more), by), legend)


def _gauge(name: str) -> Query:
    return _pods(worst(pick(name, _HERE), BY_POD))


def _round_trip(of: float) -> Query:
    buckets = pick("voiceroom_stun_rtt_seconds_bucket", _HERE)
    return _pods(quantile(of, buckets, BY_POD), f"{_POD} p{of * 100:g}")


def _jitter(of: float) -> Query:
    buckets = pick("voiceroom_media_jitter_seconds_bucket", _HERE)
    return _pods(quantile(of, buckets, BY_POD), f"{_POD} p{of * 100:g}")


_WHO: Final = Row(
    "Who is there",
    "A pod is shared by its rooms: all but the number of people is the pod's. Participants are "
    "never told apart here; `/debug/rooms/ROOM` of the pod has each leg.",
    (
        Panel(
            "People, by pod",
            "Two pods have them while clients follow a move.",
            "short",
            (
                Query(
                    total(pick("voiceroom_participants", ROOM), BY_POD),
                    _POD,
                ),
            ),
        ),
        Panel(
            "Talkers",
            "Legs heard at the last tick, in all rooms of the pod.",
            "short",
            (_gauge("voiceroom_talkers"),),
        ),
    ),
    ("VoiceroomRoomsNotServed", "VoiceroomMoveFailed"),
)
_TIME: Final = Row(
    "Lateness",
    "A late tick is heard by everybody in the pod's rooms at once.",
    (
        Panel(
            "Lateness of ticks",
            "At p99, the median, and the greatest of the last minute. Below a frame nobody hears "
            "it: jitter buffers take it.",
            "s",
            (
                _pods(worst(pick(recording.LATE_P99, _HERE), BY_POD), f"{_POD} p99"),
                _pods(worst(pick(recording.LATE_P50, _HERE), BY_POD), f"{_POD} p50"),
                _pods(
                    worst(pick("voiceroom_tick_lateness_max_seconds", _HERE), BY_POD),
                    f"{_POD} max",
                ),
            ),
        ),
        Panel(
            "Ticks lost",
            "Share of ticks that were skipped or a frame late: gaps for everybody.",
            "percentunit",
            (_pods(worst(pick(recording.LOST, _HERE), BY_POD)),),
        ),
        Panel(
            "Frames of rooms that expired",
            "Mixed after the deadline of their pool, behind all others.",
            "ops",
            (_each_s("frames_expired_total"),),
        ),
        Panel(
            "Ladder",
            "What the pod has taken away to keep time; docs/timing.md says what people notice.",
            "short",
            (_gauge("voiceroom_ladder_level"),),
            steps=((1, "yellow"), (4, "orange"), (5, "red")),
        ),
    ),
    ("VoiceroomTicksLate", "VoiceroomTicksLost", "VoiceroomTicksStopped"),
)
_BUFFERS: Final = Row(
    "Jitter buffers",
    "What comes in from people. One pod only: its node's network; all pods: what stands before.",
    (
        Panel(
            "Jitter",
            "Interarrival jitter of the legs (RFC 3550).",
            "s",
            (_jitter(0.99), _jitter(0.5)),
        ),
        Panel(
            "Ran dry, per leg",
            "Buffers unfilled for more than 120 ms and three frames, per leg and second.",
            "ops",
            (_pods(worst(pick(recording.REFILLS, _HERE), BY_POD)),),
        ),
        Panel(
            "Adjusted",
            "Quiet sound that was left out or said twice to hold the delay, seconds a second.",
            "percentunit",
            (_each_s("jb_adjusted_seconds_total", legend=f"{_POD} {{{{how}}}}", label="how"),),
        ),
        Panel(
            "Legs beyond a tolerance",
            "0.5 ms of jitter (packetisation), 2 ms from the target (queue), 50 ms of round trip "
            "(network): docs/jitter-buffer.md has what is done about each.",
            "ops",
            (_each_s("tolerance_breaches_total", legend=f"{_POD} {{{{tier}}}}", label="tier"),),
        ),
        Panel(
            "Overflows, cuts, resets",
            "Packets dropped from full buffers; delays that were cut at once; buffers begun anew.",
            "ops",
            (
                _each_s("jb_overflows_total", legend=f"{_POD} overflows"),
                _each_s("jb_cuts_total", legend=f"{_POD} cuts"),
                _each_s("jb_resets_total", legend=f"{_POD} resets"),
            ),
        ),
    ),
    ("VoiceroomJitterBufferRefillStorm",),
)
_DELAY: Final = Row(
    "Where delay comes from",
    "At p99, of all rooms of the pod; docs/jitter-buffer.md says where each part begins and ends.",
    (
        Panel(
            "Delay by its parts",
            "Origin, from capture to arrival, is known of senders that stamp their packets only, "
            "and has the network's half round trip in it.",
            "s",
            (
                _pods(
                    quantile(
                        0.99,
                        pick("voiceroom_delay_seconds_bucket", _HERE),
                        f"{BY_POD}, part",
                    ),
                    f"{_POD} {{{{part}}}}",
                ),
            ),
        ),
    ),
    ("VoiceroomJitterBufferRefillStorm", "VoiceroomRoundTripLong"),
)
_LOSS: Final = Row(
    "Loss",
    "Packets that did not come, or were not taken.",
    (
        Panel(
            "Frames made up",
            "For lost packets: by concealment (plc), by in-band FEC, by comfort noise.",
            "ops",
            (_each_s("concealed_frames_total", legend=f"{_POD} {{{{method}}}}", label="method"),),
        ),
        Panel(
            "Dropped when received",
            "By reason.",
            "pps",
            (_each_s("rx_dropped_total", legend=f"{_POD} {{{{reason}}}}", label="reason"),),
        ),
        Panel(
            "Not sent",
            "Datagrams that the kernel refused, or for which the socket was full.",
            "pps",
            (
                _each_s("tx_errors_total", legend=f"{_POD} refused"),
                _each_s("tx_eagain_total", legend=f"{_POD} full"),
            ),
        ),
        Panel(
            "Packets",
            "In and out.",
            "pps",
            (
                _each_s("rx_packets_total", legend=f"{_POD} in"),
                _each_s("tx_packets_total", legend=f"{_POD} out"),
            ),
        ),
    ),
)
_WAY: Final = Row(
    "The way to people",
    "Nothing of the mixer's is in a round trip but the kernel's: it tells the network apart.",
    (
        Panel(
            "Round trips",
            "Of STUN checks along each WebRTC leg's path, every 5 s.",
            "s",
            (_round_trip(0.99), _round_trip(0.5)),
        ),
        Panel(
            "Checks without an answer",
            "Not answered before the next one.",
            "ops",
            (_each_s("stun_checks_unanswered_total"),),
        ),
        Panel(
            "Came back",
            "With another connection (rejoin) or on another path (ice_restart).",
            "ops",
            (_each_s("reconnects_total", legend=f"{_POD} {{{{how}}}}", label="how"),),
        ),
    ),
    ("VoiceroomRoundTripLong", "VoiceroomReconnectStorm"),
)

_ACT: Final = Row(
    "Act",
    """To be copied; choose one namespace above. Nobody in the room has to rejoin.

```sh
kubectl voiceroom describe $room -n $namespace
kubectl voiceroom diagnose room/$room -n $namespace
kubectl voiceroom move $room -n $namespace --why "seen on the board" --wait
kubectl voiceroom pause $room -n $namespace --reason "seen on the board"
kubectl voiceroom resume $room -n $namespace
```
""",
    (),
    ("VoiceroomMoveFailed", "VoiceroomRemediationBlocked"),
)

ROOM_BOARD: Final = Board(
    "room",
    "Voiceroom: room",
    "What people in one room hear, by the figures of the pods that have them.",
    (NAMESPACE, ONE_ROOM),
    (_WHO, _TIME, _BUFFERS, _DELAY, _LOSS, _WAY, _ACT),
)
