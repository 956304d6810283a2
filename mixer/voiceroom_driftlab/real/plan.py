"""What is injected, in which order and how strongly: all of it from the seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.draws import Draw, between, signed
from voiceroom_driftlab.faults import BLOCKED_MS, WEAKEST_MS, Place, blocked_place
from voiceroom_mixer.core.timing.detect.verdicts import KINDS, Kind

Method = Literal[
    "shim", "sigstop", "freezer", "own-quota", "pod-quota", "ancestor-quota", "fifo",
    "crowd", "gc", "spin", "hold", "block", "burn", "none",
]  # fmt: skip
Four = tuple[int, int, int, int]
"""Of MONOTONIC, RAW, BOOTTIME and the wall clock."""
NOTHING: Final = "none"
NAMES: Final = (*KINDS, NOTHING)
"""What ``--kinds`` takes."""
ROOT_KINDS: Final = ("throttle", "starved")
"""These have no method but by cgroups and priorities."""
CONSTANT_NS: Final[Four] = (0, 50 * NS_PER_S, -3 * NS_PER_S, 0)
"""Offsets that RAW and BOOTTIME have from the first reading to the last: harmless."""
FEWEST_FRAMES: Final = 3
_BY_FRAMES: Final[frozenset[Method]] = frozenset(
    ("sigstop", "freezer", "fifo", "crowd", "gc", "hold", "block")
)
_NO_STEP: Final[Four] = (0, 0, 0, 0)
_CLOCKS: Final = ("mono", "raw", "boot")


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault."""

    kind: Kind | None
    """The verdict that it deserves; None: none at all."""
    name: str
    method: Method
    strength: float
    """Milliseconds; ppm of a rate; stopped share of a period; frames of CPU for a tick."""
    lasts_ns: int
    """At most: it ends when it has been named."""
    step_ns: Four = _NO_STEP
    ppb: Four = _NO_STEP
    every: int = 1
    """Ticks (of control: beats) between two pauses or blocks."""
    place: Place = "chores"
    instant: bool = True
    """To be named within five ticks; else within 12 s, or while control is blocked."""

    def at_least(self, frame_ns: int) -> Injection:
        """What happens once and is named by frames lost, of three frames of that length at least:
        two, and the sleep that may hide its beginning. The ladder lengthens frames."""
        floor_ms = FEWEST_FRAMES * frame_ns / NS_PER_MS
        if self.method not in _BY_FRAMES or self.strength >= floor_ms:
            return self
        lasts_ns = int(floor_ms * NS_PER_MS) if self.lasts_ns < NS_PER_S else self.lasts_ns
        return replace(self, strength=floor_ms, lasts_ns=lasts_ns)

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.kind or NOTHING} ({self.name}, {self.strength:.3g})"


Maker = Callable[[Draw], Injection]


def schedule(
    seed: int, kinds: Sequence[str], repeat: int, *, root: bool = True
) -> tuple[Injection, ...]:
    """Each of ``kinds`` ``repeat`` times, in an order drawn from the seed."""
    drawn = [
        _allowed(MAKERS[kind](np.random.default_rng([seed, NAMES.index(kind), turn])), root)
        for kind in dict.fromkeys(kinds)
        for turn in range(repeat)
    ]
    order = np.random.default_rng([seed, len(NAMES)]).permutation(len(drawn))
    return tuple(drawn[at] for at in order)


def _allowed(injection: Injection, root: bool) -> Injection:
    """Without root a stop of the pod is one of media alone."""
    if root or injection.method != "freezer":
        return injection
    return replace(injection, method="sigstop", name="sigstop")


def step_one(draw: Draw) -> Injection:
    """One clock's reading jumps, or two of the three."""
    size_ns, hit = signed(draw, 5, 500), int(draw.integers(3))
    both = draw.random() < 0.25
    moved = [(clock != hit) if both else (clock == hit) for clock in range(3)]
    step = (size_ns * moved[0], size_ns * moved[1], size_ns * moved[2], 0)
    name = "shim " + "+".join(n for n, m in zip(_CLOCKS, moved, strict=True) if m)
    return Injection("step-one", name, "shim", size_ns / NS_PER_MS, NS_PER_S, step)


def step_all(draw: Draw) -> Injection:
    """All readings jump; what sleeps go by does not."""
    size = signed(draw, 5, 500)
    step = (size, size, size, size)
    return Injection("step-all", "shim all", "shim", size / NS_PER_MS, NS_PER_S, step)


def rate(draw: Draw) -> Injection:
    """A reading runs at a wrong rate, or all of them."""
    ppm = float(draw.uniform(100, 3000) * draw.choice((-1, 1)))
    which = int(draw.integers(4))
    ppb = int(ppm * 1000)
    ppbs = (ppb * (which in (0, 3)), ppb * (which in (1, 3)), ppb * (which in (2, 3)), 0)
    name = f"shim {(*_CLOCKS, 'all')[which]}"
    return Injection("rate", name, "shim", ppm, 13 * NS_PER_S, ppb=ppbs, instant=False)


def freeze(draw: Draw) -> Injection:
    """SIGSTOP of media, or the freezer for the whole pod."""
    size_ns = between(draw, WEAKEST_MS, 2000)
    method: Method = "sigstop" if draw.random() < 0.5 else "freezer"
    return Injection("freeze", method, method, size_ns / NS_PER_MS, size_ns)


def throttle(draw: Draw) -> Injection:
    """The own quota is used up after a share of each period: the container's, or, as a kubelet sets
    it, the same in the pod's cgroup above."""
    share = float(draw.uniform(0.45, 0.9))
    if draw.random() < 0.5:
        return Injection("throttle", "own quota", "own-quota", share, 3 * NS_PER_S)
    return Injection("throttle", "pod's quota", "pod-quota", share, 3 * NS_PER_S)


def starved(draw: Draw) -> Injection:
    """An ancestor's quota, or others who have the CPU."""
    method: Method = ("ancestor-quota", "fifo", "crowd")[int(draw.integers(3))]
    if method == "ancestor-quota":
        share = float(draw.uniform(0.45, 0.9))
        return Injection("starved", "ancestor's quota", method, share, 3 * NS_PER_S)
    size_ns = between(draw, WEAKEST_MS, 900)
    return Injection("starved", method, method, size_ns / NS_PER_MS, size_ns)


def gc(draw: Draw) -> Injection:
    """So much ballast that a collection takes longer than the spare time."""
    size_ns = between(draw, WEAKEST_MS, 300)
    return Injection("gc", "ballast", "gc", size_ns / NS_PER_MS, 2 * NS_PER_S, every=20)


def gil(draw: Draw) -> Injection:
    """A thread that computes in Python, or one that holds the GIL in a call."""
    if draw.random() < 0.5:
        return Injection("gil", "spinner thread", "spin", 0.0, 3 * NS_PER_S)
    size_ns = between(draw, WEAKEST_MS, 400)
    return Injection("gil", "held in a call", "hold", size_ns / NS_PER_MS, size_ns)


def loop_block(draw: Draw) -> Injection:
    """A call that waits: in the work of a tick, in its chores, or in control's event loop."""
    place = blocked_place(draw)
    size_ns = between(draw, *BLOCKED_MS[place])
    every = int(draw.integers(5, 40))
    return Injection(
        "loop-block", f"waits in {place}", "block", size_ns / NS_PER_MS, 2 * NS_PER_S,
        every=every, place=place, instant=place != "control",
    )  # fmt: skip


def overload(draw: Draw) -> Injection:
    """Every tick computes for longer than a frame."""
    frames = float(draw.uniform(1.05, 3.0))
    return Injection("overload", "burnt CPU", "burn", frames, 3 * NS_PER_S, place="work")


def nothing(draw: Draw) -> Injection:
    """What must be left alone: a step of the wall clock, and offsets that stay.

    A slew cannot be had by false readings alone: the kernel stamps packets by the same clock.
    """
    if draw.random() < 0.5:
        return Injection(None, "constant offset", "none", CONSTANT_NS[1] / NS_PER_MS, 5 * NS_PER_S)
    size_ns = int(np.exp(draw.uniform(np.log(0.05), np.log(3600))) * NS_PER_S)
    size_ns *= int(draw.choice((-1, 1)))
    step = (0, 0, 0, size_ns)
    return Injection(None, "NTP step", "shim", size_ns / NS_PER_MS, 5 * NS_PER_S, step)


MAKERS: Final[dict[str, Maker]] = {
    "step-one": step_one,
    "step-all": step_all,
    "rate": rate,
    "freeze": freeze,
    "throttle": throttle,
    "starved": starved,
    "gc": gc,
    "gil": gil,
    "loop-block": loop_block,
    "overload": overload,
    NOTHING: nothing,
}
