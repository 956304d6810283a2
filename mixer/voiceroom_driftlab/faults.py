"""Faults as the virtual world knows them, their strengths drawn from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.draws import Draw, between, signed
from voiceroom_mixer.core.timing.detect.verdicts import Kind

Account = Literal["none", "signal", "own", "ancestor", "hidden", "queue", "steal"]
"""Who keeps the books of a stop: nobody, SIGCONT, the own cgroup, one above (visible or not), the
run queue, the hypervisor."""
Place = Literal["chores", "work", "control"]
WEAKEST_MS: Final = 60.0
"""Of what stops the process: two frames, and the sleep that may hide its beginning."""
BLOCKED_MS: Final[dict[Place, tuple[float, float]]] = {
    "work": (WEAKEST_MS, 600.0),
    "chores": (WEAKEST_MS, 600.0),
    "control": (350.0, 2_000.0),
}
"""How long a call waits there: a pause of control's that nobody notices is no fault."""
PERIOD_NS: Final = 100 * NS_PER_MS
"""Of CFS bandwidth control."""


class Stop(NamedTuple):
    """The process cannot run from ``begin_ns`` to ``end_ns``, in true time."""

    begin_ns: int
    end_ns: int
    account: Account


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the world from ``at_ns`` until ``until_ns``."""

    kind: Kind | None
    """The verdict that it deserves; None: none at all."""
    name: str
    at_ns: int
    until_ns: int
    strength: float
    stops: tuple[Stop, ...] = ()
    step_ns: tuple[int, int, int] = (0, 0, 0)
    """Of the readings of MONOTONIC, RAW, BOOTTIME; the kernel's clocks stay true."""
    ppm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """The same as a rate."""
    kernel_jump_ns: int = 0
    """All clocks of the machine, the kernel's too."""
    kernel_ppm: float = 0.0
    suspend_ns: int = 0
    slew_ppm: float = 0.0
    """Of the kernel's MONOTONIC against RAW, as NTP does."""
    gc_ns: int = 0
    """A pause in the chores."""
    gc_every: int = 20
    """Ticks between two pauses."""
    gil_ns: int = 0
    """Every wake waits so long for another thread, which computes."""
    gil_held_ns: int = 0
    """Once, for a thread that only sleeps."""
    block_ns: int = 0
    block_every: int = 1
    """Ticks between two blocks."""
    block_place: Place = "chores"
    work_frames: float = 0.0
    """CPU time of every tick's work, in frames; 0: as usual."""
    read_width: float = 1.0
    clocksource: str = ""
    instant: bool = field(default=True)
    """It stops the tick: it must be named within five; else within 12 s."""


Maker = Callable[[Draw, int], Fault]


def step_one(draw: Draw, at_ns: int) -> Fault:
    """One clock's reading jumps, or two of the three."""
    size_ns = signed(draw, 5, 500)
    hit = int(draw.integers(3))
    steps = [size_ns if clock == hit else 0 for clock in range(3)]
    if draw.random() < 0.25:
        steps = [size_ns if clock != hit else 0 for clock in range(3)]
    name = "vdso " + "+".join(n for n, s in zip(("mono", "raw", "boot"), steps, strict=True) if s)
    return _once("step-one", name, at_ns, size_ns, step_ns=(steps[0], steps[1], steps[2]))


def step_all(draw: Draw, at_ns: int) -> Fault:
    """All readings jump, or the machine's time itself does."""
    if draw.random() < 0.3:
        size_ns = between(draw, 60, 500)
        return _once("step-all", "machine", at_ns, size_ns, kernel_jump_ns=size_ns)
    size_ns = signed(draw, 5, 500)
    return _once("step-all", "vdso all", at_ns, size_ns, step_ns=(size_ns,) * 3)


def rate(draw: Draw, at_ns: int) -> Fault:
    """A reading runs at a wrong rate, or all of them, or the machine's counter does."""
    until_ns = at_ns + 20 * NS_PER_S
    ppm = float(draw.uniform(100, 3000) * draw.choice((-1, 1)))
    which = int(draw.integers(5))
    if which == 4:
        ppm = float(draw.uniform(350, 3000) * draw.choice((-1, 1)))
        return Fault("rate", "machine", at_ns, until_ns, ppm, kernel_ppm=ppm, instant=False)
    hit = (which == 0 or which == 3, which == 1 or which == 3, which == 2 or which == 3)
    ppms = (ppm * hit[0], ppm * hit[1], ppm * hit[2])
    name = ("vdso mono", "vdso raw", "vdso boot", "vdso all")[which]
    return Fault("rate", name, at_ns, until_ns, ppm, ppm=ppms, instant=False)


def freeze(draw: Draw, at_ns: int) -> Fault:
    """SIGSTOP, the freezer, or the machine suspended."""
    size_ns = between(draw, WEAKEST_MS, 2000)
    name = str(draw.choice(("sigstop", "freezer", "suspend")))
    if name == "suspend":
        return _once("freeze", name, at_ns, size_ns, suspend_ns=size_ns)
    account: Account = "signal" if name == "sigstop" else "none"
    return _once("freeze", name, at_ns, size_ns, stops=(Stop(at_ns, at_ns + size_ns, account),))


def throttle(draw: Draw, at_ns: int) -> Fault:
    """The own quota ends after a share of each period."""
    return _periodic("throttle", "own quota", "own", draw, at_ns)


def starved(draw: Draw, at_ns: int) -> Fault:
    """An ancestor's quota, a full run queue, a vCPU that the host does not run."""
    name = str(draw.choice(("ancestor", "hidden", "queue", "steal")))
    if name in ("ancestor", "hidden"):
        account: Account = "ancestor" if name == "ancestor" else "hidden"
        return _periodic("starved", name, account, draw, at_ns)
    size_ns = between(draw, WEAKEST_MS, 1000)
    account = "queue" if name == "queue" else "steal"
    return _once("starved", name, at_ns, size_ns, stops=(Stop(at_ns, at_ns + size_ns, account),))


def gc(draw: Draw, at_ns: int) -> Fault:
    """A heap so large that a collection takes longer than the spare time."""
    size_ns = between(draw, WEAKEST_MS, 300)
    return Fault("gc", "ballast", at_ns, at_ns + 2 * NS_PER_S, size_ns / 1e6, gc_ns=size_ns)


def gil(draw: Draw, at_ns: int) -> Fault:
    """A thread that computes in Python, or one that holds the GIL in a call."""
    if draw.random() < 0.5:
        size_ns = between(draw, 5, 9)
        until_ns = at_ns + 3 * NS_PER_S
        return Fault("gil", "spinner", at_ns, until_ns, size_ns / 1e6, gil_ns=size_ns)
    size_ns = between(draw, WEAKEST_MS, 400)
    return _once("gil", "held", at_ns, size_ns, gil_held_ns=size_ns)


def loop_block(draw: Draw, at_ns: int) -> Fault:
    """A call that waits: in the work of a tick, in its chores, or in control's event loop."""
    place = blocked_place(draw)
    size_ns = between(draw, *BLOCKED_MS[place])
    every = int(draw.integers(5, 40))
    return Fault(
        "loop-block", f"waits in {place}", at_ns, at_ns + 2 * NS_PER_S, size_ns / 1e6,
        block_ns=size_ns, block_every=every, block_place=place, instant=place != "control",
    )  # fmt: skip


def blocked_place(draw: Draw) -> Place:
    """One of the three."""
    places: tuple[Place, ...] = ("work", "chores", "control")
    return places[int(draw.integers(3))]


def overload(draw: Draw, at_ns: int) -> Fault:
    """More to mix than fits into a frame."""
    frames = float(draw.uniform(1.05, 3.0))
    return Fault("overload", "work", at_ns, at_ns + 3 * NS_PER_S, frames, work_frames=frames)


def nothing(draw: Draw, at_ns: int) -> Fault:
    """What must be left alone: slews, slower CPUs, dearer readings, another clock source."""
    until_ns = at_ns + 20 * NS_PER_S
    which = int(draw.integers(3))
    if which == 0:
        ppm = float(draw.uniform(100, 500) * draw.choice((-1, 1)))
        return Fault(None, "ntp slew", at_ns, until_ns, ppm, slew_ppm=ppm)
    if which == 1:
        return Fault(None, "cpu frequency", at_ns, until_ns, 2.0, work_frames=0.3, read_width=2.0)
    width = float(draw.uniform(2, 4))
    return Fault(
        None, "clocksource", at_ns, until_ns, width, read_width=width, clocksource="kvm-clock"
    )


MAKERS: Final[dict[Kind | None, Maker]] = {
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
    None: nothing,
}


def _once(
    kind: Kind,
    name: str,
    at_ns: int,
    size_ns: int,
    *,
    stops: tuple[Stop, ...] = (),
    step_ns: tuple[int, int, int] = (0, 0, 0),
    kernel_jump_ns: int = 0,
    suspend_ns: int = 0,
    gil_held_ns: int = 0,
) -> Fault:
    return Fault(
        kind, name, at_ns, at_ns + 2 * NS_PER_S, size_ns / 1e6,
        stops=stops, step_ns=step_ns, kernel_jump_ns=kernel_jump_ns, suspend_ns=suspend_ns,
        gil_held_ns=gil_held_ns,
    )  # fmt: skip


def _periodic(kind: Kind, name: str, account: Account, draw: Draw, at_ns: int) -> Fault:
    """Stopped for the rest of each period, for 3 s."""
    stopped_ns = int(draw.uniform(0.45, 0.9) * PERIOD_NS)
    begins = range(at_ns, at_ns + 3 * NS_PER_S, PERIOD_NS)
    stops = tuple(Stop(begin, begin + stopped_ns, account) for begin in begins)
    return Fault(kind, name, at_ns, begins[-1] + PERIOD_NS, stopped_ns / 1e6, stops=stops)
