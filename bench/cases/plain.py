"""CPU of plain-RTP legs, beside Janus's AudioBridge."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from bench import measure, mixerload
from bench.compare import Arm, Side, conclusive
from bench.context import Context
from bench.load.crowd import Seat, Silent, crowd
from bench.measure import Sample
from bench.ours import RoomSpec
from bench.peers.janus import janus
from bench.report import Row, Target
from bench.settings import Settings

SILENTS: Final[tuple[Silent, ...]] = ("silence", "noise")
SAID: Final = {
    "silence": "the silent ones send Opus silence",
    "noise": "the silent ones send -60 dBov noise",
}
TALKING: Final = 3
TENTH: Final = Target(at_most=0.1)
HALF: Final = Target(at_most=0.5)
BIG_ROOMS: Final = (50, 100)
JANUS_LEGS: Final = 50
ALL_TALK_LEGS: Final = 20
MANY_ROOMS: Final = 25
SMALL_ROOM: Final = 4
SMALL_ROOM_LOADS: Final[tuple[tuple[int, Silent], ...]] = (
    (1, "silence"),
    (1, "noise"),
    (2, "noise"),
)


def _janus(seats: Sequence[Seat], s: Settings) -> Sample:
    with janus(sorted({seat.room for seat in seats})) as server:
        return measure.plain(server, seats, s)


def ours_arm(name: str, seats: Sequence[Seat], s: Settings, spec: RoomSpec | None = None) -> Arm:
    """A fresh mixer each time."""
    return Arm(name, partial(mixerload.plain, seats, s, spec))


def _janus_arm(seats: Sequence[Seat], s: Settings) -> Arm:
    return Arm(f"Janus, {len(seats)} legs", partial(_janus, seats, s))


def _quality(side: Side) -> str:
    """What its listeners noticed, so that nobody looks cheap by doing less."""
    p99 = side.middle(lambda s: s.load.interarrival.p99_us) / 1000
    lost = sum(s.load.lost for s in side.samples)
    skipped = sum(s.ticks.skipped for s in side.samples if s.ticks)
    said = f"{side.name}: inter-arrival p99 {p99:.1f} ms, {lost} packets missing"
    return f"{said}, {skipped} ticks skipped" if side.samples[0].ticks else said


def per_leg_row(
    figure: str, ours: Side, legs: int, peer: Side, peer_legs: int, target: Target
) -> Row:
    """CPU for each leg on both sides, and their ratio."""
    mine, theirs = ours.percent_per(legs), peer.percent_per(peer_legs)
    ratio = mine / theirs
    return Row(
        figure,
        f"{mine:.3f} %",
        f"{theirs:.3f} %",
        ratio,
        str(target),
        target.judge(ratio, conclusive=conclusive(ours, peer)),
        f"{_quality(ours)}; {_quality(peer)}.",
    )


def big_rooms(ctx: Context) -> list[Row]:
    """Three of 50 and of 100 talk; Janus at 50, as it breaks at 100."""
    return [row for silent in SILENTS for row in _big_rooms(ctx, silent)]


def _big_rooms(ctx: Context, silent: Silent) -> list[Row]:
    s = ctx.settings
    seats = {n: crowd([mixerload.ROOM], n, TALKING, silent) for n in BIG_ROOMS}
    arms = [ours_arm(f"voiceroom, {n} legs, {silent}", seats[n], s) for n in BIG_ROOMS]
    arms.append(_janus_arm(seats[JANUS_LEGS], s))
    *ours, peer = ctx.compare(f"plain-{silent}", *arms)
    return [
        per_leg_row(
            f"CPU per leg, {n} plain-RTP legs, {TALKING} talking, {SAID[silent]}; Janus at "
            f"{JANUS_LEGS}",
            side,
            n,
            peer,
            JANUS_LEGS,
            TENTH,
        )
        for n, side in zip(BIG_ROOMS, ours, strict=True)
    ]


def all_talk(ctx: Context) -> list[Row]:
    """Twenty talk at once and all are mixed."""
    seats = crowd([mixerload.ROOM], ALL_TALK_LEGS, ALL_TALK_LEGS, "silence")
    s = ctx.settings
    ours, peer = ctx.compare(
        "all-talk",
        ours_arm("voiceroom, all talk", seats, s, RoomSpec(talkers=0)),
        _janus_arm(seats, s),
    )
    figure = f"CPU per leg, {ALL_TALK_LEGS} legs all talking, talkers: 0; Janus with as many"
    return [per_leg_row(figure, ours, ALL_TALK_LEGS, peer, ALL_TALK_LEGS, HALF)]


def small_rooms(ctx: Context) -> list[Row]:
    """Many small rooms, where each mix has few listeners to share it."""
    return [_small_rooms(ctx, talking, silent) for talking, silent in SMALL_ROOM_LOADS]


def _small_rooms(ctx: Context, talking: int, silent: Silent) -> Row:
    rooms = [f"room{i}" for i in range(MANY_ROOMS)]
    seats, s = crowd(rooms, SMALL_ROOM, talking, silent), ctx.settings
    ours, peer = ctx.compare(
        f"small-rooms-{talking}-{silent}",
        ours_arm(f"voiceroom, {MANY_ROOMS} rooms, {talking} talking, {silent}", seats, s),
        _janus_arm(seats, s),
    )
    figure = (
        f"CPU per leg, {MANY_ROOMS} rooms of {SMALL_ROOM}, {talking} talking in each, "
        f"{SAID[silent]}; Janus with as many"
    )
    return per_leg_row(figure, ours, len(seats), peer, len(seats), HALF)
