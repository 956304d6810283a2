"""How well a node can keep time, from facts that it states about itself.

Read-only: nothing here is changed on the node, and ``tsc=reliable`` is reported, not asked for,
since it switches off the kernel's own watchdog over the TSC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Grade = Literal["A", "B", "C"]

SLOW_READ_NS: Final = 1_000
"""A reading that takes longer has left the vDSO and enters the kernel."""
_INVARIANT: Final = frozenset({"constant_tsc", "nonstop_tsc"})
_VDSO_GUEST_CLOCKS: Final = frozenset({"kvm-clock", "hyperv_clocksource_tsc_page"})


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node says; None = the node does not tell."""

    arch: str
    clocksource: str | None = None
    available: tuple[str, ...] = ()
    """Clock sources that the kernel could switch to."""
    tsc_flags: frozenset[str] = frozenset()
    """Of ``constant_tsc nonstop_tsc tsc_reliable tsc_known_freq rdtscp``."""
    tsc_reliable: bool = False
    """``tsc=reliable`` on the kernel's command line."""
    hz: int | None = None
    nohz_full: str = ""
    """A CPU list, as the kernel writes it."""
    timer_migration: bool | None = None
    isolated_cpus: str = ""
    hypervisor: str | None = None
    read_ns: float | None = None
    """Mean cost of one reading of CLOCK_MONOTONIC, by the self-test."""


@dataclass(frozen=True, slots=True)
class NodeGrade:
    """A: invariant counter read without the kernel; B: paravirtual or unknown; C: system calls."""

    grade: Grade
    reasons: tuple[str, ...]
    """Why not better (for A: why A); first the decisive one."""
    notes: tuple[str, ...]
    """What else bears on lateness; none of it changes the grade."""


def grade(facts: NodeFacts) -> NodeGrade:
    """The grade of a node with these facts."""
    letter, reason = _clock_grade(facts)
    if facts.read_ns is not None and facts.read_ns > SLOW_READ_NS:
        slow = f"reading the clock takes {facts.read_ns:.0f} ns: it enters the kernel"
        return NodeGrade("C", (slow, reason) if letter != "A" else (slow,), _notes(facts))
    return NodeGrade(letter, (reason,), _notes(facts))


def _clock_grade(facts: NodeFacts) -> tuple[Grade, str]:
    source = facts.clocksource
    if source is None:
        return "B", "the clock source is not known: /sys/devices/system/clocksource is not readable"
    if source == "tsc":
        return _tsc_grade(facts)
    if source == "arch_sys_counter":
        return "A", "clock source arch_sys_counter: an invariant counter"
    if source in _VDSO_GUEST_CLOCKS:
        return "B", f"clock source {source}: paravirtual, read without a system call"
    return "C", f"clock source {source}: every reading is a system call"


def _tsc_grade(facts: NodeFacts) -> tuple[Grade, str]:
    missing = sorted(_INVARIANT - facts.tsc_flags)
    if missing:
        return "B", f"clock source tsc, but the processor does not show {' and '.join(missing)}"
    return "A", "clock source tsc with constant_tsc and nonstop_tsc"


def _notes(facts: NodeFacts) -> tuple[str, ...]:
    notes = (
        (facts.hypervisor, f"hypervisor {facts.hypervisor}: steal delays wake-ups without bound"),
        (facts.tsc_reliable, "tsc=reliable: the kernel's watchdog over the TSC is off"),
        (facts.hz is not None and facts.hz < 250, f"HZ={facts.hz}: coarse scheduler ticks"),
        (facts.nohz_full, f"nohz_full={facts.nohz_full}"),
        (facts.isolated_cpus, f"isolated CPUs {facts.isolated_cpus}"),
        (facts.timer_migration, "timer_migration=1: timers may move to another CPU"),
        (facts.timer_migration is None, "timer_migration is not readable"),
    )
    return tuple(text for applies, text in notes if applies)
