"""All cases, in the order of the table, and what each needs on the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.cases import clockprobe, delay, floor, lateness, plain, webrtc
from bench.context import Context
from bench.report import Row


@dataclass(frozen=True, slots=True)
class Case:
    """One or more rows of the table."""

    name: str
    what: str
    run: Callable[[Context], list[Row]]
    needs: tuple[str, ...] = ()
    """Keys of ``prerequisites.NEEDS`` beyond what every case needs."""


CASES: Final = (
    Case("janus", "plain-RTP legs beside Janus", plain.big_rooms, ("janus",)),
    Case("floor", "400 plain-RTP legs beside a C floor", floor.floor_400),
    Case("all-talk", "20 talk at once, beside Janus", plain.all_talk, ("janus",)),
    Case("small-rooms", "25 rooms of 4, beside Janus", plain.small_rooms, ("janus",)),
    Case("livekit", "30 WebRTC participants beside LiveKit", webrtc.livekit_few, ("go",)),
    Case("livekit-most", "as many as the machine carries", webrtc.livekit_most, ("go",)),
    Case("one-core", "WebRTC legs that one core holds", webrtc.one_core),
    Case("lateness", "tick lateness beside cyclictest", lateness.lateness, ("cyclictest",)),
    Case("clock-probe", "timer drift beside cyclictest", clockprobe.clockprobe, ("cyclictest",)),
    Case("mouth-to-ear", "added delay, beside Janus", delay.mouth_to_ear, ("janus",)),
    Case("frame-10", "frameMs 10, due to sent", delay.small_frame),
    Case("memory", "memory per WebRTC leg", webrtc.memory),
)
