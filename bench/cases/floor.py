"""What a leg costs beyond its packets: ours beside a program that only receives and sends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from bench import measure, mixerload
from bench.cases.plain import SAID, SILENTS, TALKING, ours_arm, per_leg_row
from bench.compare import Arm
from bench.context import Context
from bench.load.crowd import Seat, Silent, crowd
from bench.measure import Sample
from bench.peers.floor import floor
from bench.report import Row, Target
from bench.settings import Settings

LEGS: Final = 400
TARGET: Final = Target(at_most=2.5)


def _floor(seats: Sequence[Seat], s: Settings) -> Sample:
    with floor(len(seats)) as server:
        return measure.plain(server, seats, s)


def floor_400(ctx: Context) -> list[Row]:
    """400 legs in one room."""
    return [_row(ctx, silent) for silent in SILENTS]


def _row(ctx: Context, silent: Silent) -> Row:
    seats, s = crowd([mixerload.ROOM], LEGS, TALKING, silent), ctx.settings
    ours, peer = ctx.compare(
        f"floor-{silent}",
        ours_arm(f"voiceroom, {LEGS} legs, {silent}", seats, s),
        Arm(f"floor, {LEGS} legs", partial(_floor, seats, s)),
    )
    figure = (
        f"CPU per leg, {LEGS} plain-RTP legs, {TALKING} talking, {SAID[silent]}; "
        "a C program that only receives and sends"
    )
    return per_leg_row(figure, ours, LEGS, peer, LEGS, TARGET)
