"""The virtual runs: single faults, pairs, and hours without any."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from voiceroom_api.units import NS_PER_S
from voiceroom_driftlab import score
from voiceroom_driftlab.faults import MAKERS, Fault
from voiceroom_driftlab.score import Outcome
from voiceroom_driftlab.world import START_NS, World
from voiceroom_mixer.core.timing.detect.verdicts import KINDS, Kind

WARM_NS: Final = 15 * NS_PER_S
AFTER_NS: Final = 2 * NS_PER_S
_SENDERS_NEEDED: Final = 4


def singles(seed: int, times: int) -> Iterator[Outcome]:
    """Each kind, and what deserves no verdict, ``times`` times."""
    for number, kind in enumerate((*KINDS, None)):
        for turn in range(times):
            yield inject((seed, number, turn), kind)


def inject(seed: tuple[int, ...], kind: Kind | None) -> Outcome:
    """One fault in one world."""
    draw = np.random.default_rng([*seed, 1])
    at_ns = START_NS + WARM_NS + int(draw.integers(NS_PER_S))
    fault = MAKERS[kind](draw, at_ns)
    world = World((*seed, 2), [fault], _senders(draw, fault))
    world.run_until(fault.until_ns + AFTER_NS)
    return _outcome(fault, world)


def _senders(draw: np.random.Generator, *faults: Fault) -> int:
    """Only senders can tell that the machine's own time is wrong."""
    wanted = _SENDERS_NEEDED if any(f.kernel_jump_ns or f.kernel_ppm for f in faults) else 0
    return max(wanted, int(draw.integers(9)))


def _outcome(fault: Fault, world: World) -> Outcome:
    """The first verdict counts, also one from before the fault."""
    seconds_ns = int(score.MAX_SECONDS * NS_PER_S)
    limit_ns = fault.until_ns + AFTER_NS if fault.instant else fault.at_ns + seconds_ns
    if fault.block_place == "control":
        limit_ns = fault.at_ns + fault.block_ns  # while it is blocked, and not only afterwards
    first = next((one for one in world.said if one.kind is not None), None)
    if first is None or first.at_ns > limit_ns:
        return Outcome(fault.kind, fault.name, fault.strength, None, 0, 0.0)
    begun = first.tick if world.first_bad is None else world.first_bad
    ticks = max(0, first.tick - begun) + 1 if fault.instant else 0
    seconds = max(0, first.at_ns - fault.at_ns) / NS_PER_S
    named = first.kind if ticks <= score.MAX_TICKS else None
    return Outcome(fault.kind, fault.name, fault.strength, named, ticks, seconds)


class Quiet(NamedTuple):
    """Hours without a fault."""

    hours: float
    ticks: int
    false_verdicts: int
    kinds: tuple[str, ...]


def quiet(seed: int, hours: float) -> Quiet:
    """A noisy neighbour and nothing else; every verdict is a false one."""
    world = World((seed, 99), [], senders=6)
    world.run_until(START_NS + int(hours * 3600 * NS_PER_S))
    kinds = tuple(one.kind for one in world.said if one.kind is not None)
    return Quiet(hours, world.ticks, len(kinds), kinds)


class Pair(NamedTuple):
    """Two faults at once: the greater one should be the verdict."""

    greater: str
    lesser: str
    named: str


_PAIRS: Final[tuple[tuple[Kind, Kind], ...]] = (
    ("step-one", "loop-block"),
    ("step-all", "loop-block"),
    ("freeze", "loop-block"),
    ("throttle", "loop-block"),
    ("starved", "gc"),
    ("gil", "gc"),
    ("overload", "gc"),
    ("gc", "rate"),
    ("loop-block", "rate"),
    ("throttle", "rate"),
)
_GREAT: Final = 300.0
"""Milliseconds of what happens once, for the greater of two."""


def pairs(seed: int, times: int) -> Iterator[Pair]:
    """The greater costs several times the lesser's milliseconds in a second."""
    for number, (greater, lesser) in enumerate(_PAIRS):
        for turn in range(times):
            yield _pair((seed, 1000 + number, turn), greater, lesser)


def _pair(seed: tuple[int, ...], greater: Kind, lesser: Kind) -> Pair:
    draw = np.random.default_rng([*seed, 1])
    # A rate needs its seconds to be known; by then both are there.
    small = _lesser(draw, lesser, START_NS + WARM_NS)
    great = _greater(draw, greater, small.at_ns + 11 * NS_PER_S)
    small = replace(small, until_ns=great.until_ns)
    world = World((*seed, 2), [great, small], _senders(draw, great, small))
    world.run_until(great.at_ns)
    ticks = world.ticks + _LOOK_TICKS
    while world.ticks < ticks:
        world.tick()
    verdict = world.detector.verdict
    return Pair(greater, lesser, verdict.kind if verdict else score.NOTHING)


_LOOK_TICKS: Final = 50
"""The verdict is looked at so many ticks after the greater fault has begun."""
_LASTING: Final = ("throttle", "overload", "gil")
_WEAK_NS: Final = 60_000_000


def _greater(draw: np.random.Generator, kind: Kind, at_ns: int) -> Fault:
    """A strong one."""
    while True:
        fault = MAKERS[kind](draw, at_ns)
        if fault.block_place == "control":
            continue  # it costs no tick, so nothing is greater or lesser than it
        strong = abs(fault.strength) >= _GREAT or len(fault.stops) > 1
        if strong or (kind in _LASTING and not fault.gil_held_ns) or fault.kind == "gc":
            return fault


def _lesser(draw: np.random.Generator, kind: Kind, at_ns: int) -> Fault:
    """A weak one: 60 ms now and then, or a rate."""
    fault = MAKERS[kind](draw, at_ns)
    if fault.block_ns:
        return replace(fault, block_ns=_WEAK_NS, block_every=60, block_place="chores", instant=True)
    return replace(fault, gc_ns=_WEAK_NS, gc_every=60) if fault.gc_ns else fault
