"""Delay: mouth to ear, and from a frame's deadline to its last packet."""

from __future__ import annotations

from functools import partial
from typing import Final

from bench import measure, mixerload
from bench.cases.plain import TALKING, ours_arm
from bench.compare import Arm, Side, conclusive
from bench.context import Context
from bench.errors import BenchError
from bench.load.crowd import Seat, crowd, pairs
from bench.measure import Sample
from bench.ours import RoomSpec
from bench.peers.janus import janus
from bench.report import Row, Target
from bench.settings import Settings
from bench.ticks import quantile

PAIRS: Final = 10
"""Rooms of a talker and a listener, whose packets come at ten places of the frame."""
MOUTH_TO_EAR: Final = Target(at_most=45, unit="ms")
FRAME_BUDGET: Final = Target(at_most=10, unit="ms")
SMALL_FRAME_MS: Final = 10
SMALL_FRAME_LEGS: Final = 50


def _janus(rooms: list[str], seats: list[Seat], s: Settings) -> Sample:
    with janus(rooms) as server:
        return measure.plain(server, seats, s)


def _middle_ms(side: Side) -> float:
    heard = sum(sample.load.delay.n for sample in side.samples)
    if not heard:
        raise BenchError(f"{side.name}: no tone burst came through")
    return side.middle(lambda s: s.load.delay.p50_us) / 1000


def mouth_to_ear(ctx: Context) -> list[Row]:
    """What the mixer adds to the same packets sent straight to the listener."""
    rooms = [f"pair{i}" for i in range(PAIRS)]
    seats = pairs(rooms)
    ours, peer = ctx.compare(
        "mouth-to-ear",
        ours_arm("voiceroom, mouth to ear", seats, ctx.settings),
        Arm("Janus, mouth to ear", partial(_janus, rooms, seats, ctx.settings)),
    )
    mine, theirs = _middle_ms(ours), _middle_ms(peer)
    p99 = ours.middle(lambda s: s.load.delay.p99_us) / 1000
    sent_late = ours.middle(lambda s: s.load.send_late.p99_us) / 1000
    return [
        Row(
            "added mouth-to-ear on loopback, RTP leg to RTP leg, median; Janus for comparison",
            f"{mine:.1f} ms",
            f"{theirs:.1f} ms",
            mine / theirs,
            str(MOUTH_TO_EAR),
            MOUTH_TO_EAR.judge(mine, conclusive=conclusive(ours)),
            f"p99 {p99:.1f} ms; {PAIRS} pairs, their packets spread over the frame and sent up to "
            f"{sent_late:.1f} ms late (p99), which the jitter buffer has to make up for.",
        )
    ]


def _done_ms(sample: Sample, q: float) -> float:
    assert sample.ticks is not None
    return quantile(sample.ticks.done_ns, q) / 1e6


def small_frame(ctx: Context) -> list[Row]:
    """frameMs 10: the frame's deadline to the last packet sent, as the mixer records it."""
    seats = crowd([mixerload.ROOM], SMALL_FRAME_LEGS, TALKING, "noise")
    spec = RoomSpec(frame_ms=SMALL_FRAME_MS)
    side = ctx.alone("frame-10", ours_arm("voiceroom, frameMs 10", seats, ctx.settings, spec))
    p99 = side.middle(lambda s: _done_ms(s, 0.99))
    skipped = sum(s.ticks.skipped for s in side.samples if s.ticks)
    return [
        Row(
            f"frameMs {SMALL_FRAME_MS}, {SMALL_FRAME_LEGS} legs, {TALKING} talking: frame due to "
            "last packet sent, p99",
            f"{p99:.2f} ms",
            "",
            None,
            str(FRAME_BUDGET),
            FRAME_BUDGET.judge(p99, conclusive=conclusive(side)),
            f"median {side.middle(lambda s: _done_ms(s, 0.5)):.2f} ms, {skipped} ticks skipped.",
        )
    ]
