"""WebRTC legs: beside LiveKit, how many a core holds, and what memory each takes."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Final

from bench import measure, mixerload
from bench.cases.plain import SAID, SILENTS, TALKING, per_leg_row
from bench.compare import Arm, Side, conclusive
from bench.context import Context
from bench.load.crowd import Silent
from bench.measure import Sample
from bench.peers.livekit import Participants, livekit
from bench.report import Row, Target, not_measured
from bench.settings import Settings
from bench.ticks import quantile

FEW: Final = 30
THIRD: Final = Target(at_most=1 / 3)
FIFTH: Final = Target(at_most=0.2)
LADDER: Final = (60, 90, 120, 160, 200, 250, 300, 400, 500)
CARRIED_SHARE: Final = 0.99
"""Of the packets that all should hear."""
CARRIED_P99_US: Final = 60_000
_TRIES: Final = 2
CORE: Final = Target(at_least=500, unit="legs")
WORK_P99_MS: Final = 12.0
CORE_FIRST: Final = 500
CORE_STEP: Final = 100
MEMORY: Final = Target(at_most=100, unit="KiB")
MEMORY_LEGS: Final = (10, 500)
_LIVEKIT_NOTE: Final = (
    "LiveKit's silent participants send nothing at all, ours 50 packets a second each."
)


def _livekit(participants: int, s: Settings) -> Sample:
    with livekit() as server, Participants(participants, TALKING) as load:
        time.sleep(s.warm_s)
        return measure.watch(server.pids(), load, s.window_s)


def _livekit_arm(count: int, s: Settings) -> Arm:
    return Arm(f"LiveKit, {count} participants", partial(_livekit, count, s))


def _ours_arm(count: int, silent: Silent, s: Settings) -> Arm:
    run = partial(mixerload.secure, count, TALKING, silent, s)
    return Arm(f"voiceroom, {count} WebRTC legs, {silent}", run)


def _livekit_row(count: int, silent: Silent, ours: Side, peer: Side, target: Target) -> Row:
    figure = (
        f"CPU per WebRTC participant, {count}, {TALKING} talking, all hear all, {SAID[silent]}; "
        "LiveKit"
    )
    row = per_leg_row(figure, ours, count, peer, count, target)
    return replace(row, note=f"{_LIVEKIT_NOTE} {row.note}")


def livekit_few(ctx: Context) -> list[Row]:
    """At 30 participants."""
    s = ctx.settings
    arms = [_ours_arm(FEW, silent, s) for silent in SILENTS]
    *ours, peer = ctx.compare("livekit-30", *arms, _livekit_arm(FEW, s))
    return [
        _livekit_row(FEW, silent, side, peer, THIRD)
        for silent, side in zip(SILENTS, ours, strict=True)
    ]


def carried(sample: Sample, participants: int) -> bool:
    """Whether everybody heard everybody, in time."""
    streams = (participants - TALKING) * TALKING + TALKING * (TALKING - 1)
    expected = streams * sample.load.seconds * 50
    late = sample.load.interarrival.p99_us > CARRIED_P99_US
    return sample.load.received >= CARRIED_SHARE * expected and not late


def _most(ctx: Context) -> int:
    """The highest rung that LiveKit and its clients carry on this machine."""
    best = FEW
    for count in (n for n in LADDER if n <= ctx.settings.most_webrtc):
        if not any(_livekit_carries(ctx, count) for _ in range(_TRIES)):
            break
        best = count
    return best


def _livekit_carries(ctx: Context, count: int) -> bool:
    sample = _livekit(count, ctx.settings)
    ctx.windows[f"livekit-ladder-{count}"] = sample.to_dict()
    good = carried(sample, count)
    ctx.say(f"LiveKit, {count}: {sample.cores:.2f} cores, {'carried' if good else 'not carried'}")
    return good


def livekit_most(ctx: Context) -> list[Row]:
    """At the most that the machine, which also carries the clients, can do for LiveKit."""
    count, s = _most(ctx), ctx.settings
    ours, peer = ctx.compare("livekit-most", _ours_arm(count, "noise", s), _livekit_arm(count, s))
    return [_livekit_row(count, "noise", ours, peer, FIFTH)]


def work_p99_ms(sample: Sample) -> float:
    """Of the window's ticks."""
    assert sample.ticks is not None
    return quantile(sample.ticks.work_ns, 0.99) / 1e6


def _holds(ctx: Context, legs: int, found: dict[int, Side]) -> bool:
    side = ctx.alone(f"webrtc-core-{legs}", _ours_arm(legs, "noise", ctx.settings))
    found[legs] = side
    p99 = side.middle(work_p99_ms)
    ctx.say(f"{legs} WebRTC legs: tick work p99 {p99:.1f} ms")
    return p99 <= WORK_P99_MS


def _climb(ctx: Context, found: dict[int, Side]) -> int:
    """The highest rung that is held; 0 when not even the lowest is."""
    legs = min(CORE_FIRST, ctx.settings.most_webrtc)
    if not _holds(ctx, legs, found):
        while legs > CORE_STEP:
            legs -= CORE_STEP
            if _holds(ctx, legs, found):
                return legs
        return 0
    while legs + CORE_STEP <= ctx.settings.most_webrtc and _holds(ctx, legs + CORE_STEP, found):
        legs += CORE_STEP
    return legs


def one_core(ctx: Context) -> list[Row]:
    """WebRTC legs that the one media thread holds."""
    found: dict[int, Side] = {}
    best = _climb(ctx, found)
    figure = f"WebRTC legs that one core holds, {TALKING} talking, tick work p99 <= 12 ms"
    if ctx.settings.most_webrtc < CORE_FIRST and best == ctx.settings.most_webrtc:
        return [not_measured(figure, str(CORE), f"looked up to {best} legs only, all held.")]
    work = ", ".join(f"{n}: {side.middle(work_p99_ms):.1f} ms" for n, side in sorted(found.items()))
    skipped = sum(s.ticks.skipped for side in found.values() for s in side.samples if s.ticks)
    verdict = CORE.judge(best, conclusive=conclusive(*found.values()))
    note = f"Tick work p99 at {work}; {skipped} ticks skipped; {SAID['noise']}."
    return [Row(figure, f"{best} legs", "", None, str(CORE), verdict, note)]


def memory(ctx: Context) -> list[Row]:
    """What grows from few legs to many, over all processes of the mixer."""
    few, many = MEMORY_LEGS
    sides = ctx.compare("memory", *(_ours_arm(n, "noise", ctx.settings) for n in MEMORY_LEGS))
    small, large = (side.samples[-1].held for side in sides)
    assert small is not None
    assert large is not None
    pss, rss = ((b - a) / (many - few) for a, b in ((small.pss, large.pss), (small.rss, large.rss)))
    return [
        Row(
            f"memory per WebRTC leg at {many}, all processes together",
            f"{pss:.0f} KiB",
            "",
            None,
            str(MEMORY),
            MEMORY.judge(pss),
            f"PSS, from {small.pss} KiB at {few} legs to {large.pss} KiB; RSS {rss:.0f} KiB a leg, "
            "which counts shared pages in each process.",
        )
    ]
