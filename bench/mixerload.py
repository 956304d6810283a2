"""Windows of our mixer that also hold its record of ticks and its memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from bench import measure
from bench.load import crowd, webrtc
from bench.load.crowd import Seat
from bench.measure import Sample
from bench.ours import Mixer, RoomSpec, mixer
from bench.procfs import Memory, memory
from bench.settings import Settings
from bench.ticks import Ticks, tick_record

ROOM: Final = "bench"


def with_ticks(running: Mixer, work: Callable[[Callable[[], None]], Sample]) -> Sample:
    """``work`` calls what it is given at both edges of its window."""
    counts: list[int] = []
    ticks: list[Ticks] = []
    held: list[Memory] = []
    with tick_record(running.media_pid()) as record:

        def edge() -> None:
            if counts:
                ticks.append(record.since(counts[0]))
                held.append(memory(running.pids()))
            counts.append(record.count)

        sample = work(edge)
        return replace(sample, ticks=ticks[0], held=held[0])


def plain(seats: Sequence[Seat], s: Settings, spec: RoomSpec | None = None) -> Sample:
    """A fresh mixer with plain-RTP legs."""
    spec = spec or RoomSpec()
    with mixer(sorted({seat.room for seat in seats}), spec) as running:
        return with_ticks(
            running,
            lambda edge: measure.plain(running, seats, s, frame_ms=spec.frame_ms, edge=edge),
        )


def secure(legs: int, talking: int, silent: crowd.Silent, s: Settings) -> Sample:
    """A fresh mixer with WebRTC legs in one room."""
    seats = crowd.crowd([ROOM], legs, talking, silent)
    with mixer([ROOM]) as running, crowd.sockets(legs) as socks:
        joined = webrtc.join_all(running, seats, socks)
        return with_ticks(
            running, lambda edge: measure.run_load(running, seats, joined, s, edge=edge)
        )
