"""Whether an injection happened and whether the machine was quiet enough: by the kernel's own
record, and never by what the mixer says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from voiceroom_api.units import NS_PER_MS
from voiceroom_driftlab.real.plan import Injection
from voiceroom_driftlab.real.watching import Book

HARM_FRAMES: Final = 2
"""Less time lost does not have to be named."""
MOST: Final = 0.9
"""A stop or a wait that was ordered took at least this share of its time."""
LEAST: Final = 0.67
"""The same of a pause that could only be aimed at: two frames of the three that it is at least."""
STEAL_SHARE: Final = 0.05
WITNESS_NS: Final = 10 * NS_PER_MS
WAIT_NS: Final = 30 * NS_PER_MS
"""Waited for a CPU within ``WAIT_WINDOW_NS`` though nobody had ordered that."""
WAIT_WINDOW_NS: Final = 100 * NS_PER_MS
_WAITS: Final = ("starved", "throttle", "gil")
"""Kinds in which waiting for a CPU is, or may be, the fault's own doing."""


class Truth(NamedTuple):
    """What was really done."""

    began_ns: int
    ended_ns: int
    happened: bool
    record: str
    """The figure that says so, for people."""


def stopped(began_ns: int, ended_ns: int, seen: bool, wanted_ms: float) -> Truth:
    """A stop of the process: ``seen``: the kernel had it as stopped meanwhile."""
    took_ms = (ended_ns - began_ns) / NS_PER_MS
    happened = seen and took_ms >= MOST * wanted_ms
    return Truth(began_ns, ended_ns, happened, f"stopped for {took_ms:.0f} ms")


def throttled(began_ns: int, ended_ns: int, periods: int, lost_ns: int, frame_ns: int) -> Truth:
    """``nr_throttled`` and throttled time of the cgroup whose quota it was."""
    happened = periods >= 2 and lost_ns >= HARM_FRAMES * frame_ns
    record = f"{periods} periods throttled, {lost_ns / NS_PER_MS:.0f} ms"
    return Truth(began_ns, ended_ns, happened, record)


def waited(began_ns: int, ended_ns: int, delay_ns: int, frame_ns: int) -> Truth:
    """Run-queue delay of media's thread."""
    record = f"waited {delay_ns / NS_PER_MS:.0f} ms for the CPU"
    return Truth(began_ns, ended_ns, delay_ns >= HARM_FRAMES * frame_ns, record)


def read_wrong(began_ns: int, ended_ns: int, falsified: int) -> Truth:
    """Readings that the shim falsified."""
    return Truth(began_ns, ended_ns, falsified > 0, f"{falsified} readings falsified")


def inside(injection: Injection, began_ns: int, ended_ns: int, said: Mapping[str, Any]) -> Truth:
    """What the act inside the process took, by the kernel's clocks. It began with its first pause,
    and not when it was ordered: ballast takes a second to be put there."""
    events, total_ns, worst_ns = (int(said[key]) for key in ("events", "total_ns", "worst_ns"))
    if injection.method == "spin":
        happened = total_ns * 5 >= injection.lasts_ns
    elif injection.method == "burn":
        happened = events >= 5
    else:
        happened = worst_ns >= injection.strength * LEAST * NS_PER_MS
    record = f"{events} times, {total_ns / NS_PER_MS:.0f} ms in all"
    return Truth(int(said["first_ns"]) or began_ns, ended_ns, happened, record)


def disturbance(injection: Injection, books: Sequence[Book], cpus: int) -> str:
    """Why the machine itself makes the injection inconclusive; empty when it does not."""
    if len(books) < 2:
        return "nothing was read of the kernel's books"
    first, last = books[0], books[-1]
    share = (last.steal_ns - first.steal_ns) / max(1, (last.at_ns - first.at_ns) * cpus)
    if share > STEAL_SHARE:
        return f"{share:.0%} of the CPUs were stolen"
    late_ns = max(book.witness_late_ns for book in books)
    if late_ns >= WITNESS_NS:
        return f"a real-time thread was {late_ns / NS_PER_MS:.0f} ms late"
    wait_ns = longest_wait_ns(books)
    if wait_ns >= WAIT_NS and injection.kind not in _WAITS:
        return f"media waited {wait_ns / NS_PER_MS:.0f} ms for a CPU"
    return ""


def longest_wait_ns(books: Sequence[Book], *, stolen: bool = False) -> int:
    """The most that media waited for a CPU within ``WAIT_WINDOW_NS``; ``stolen``: and that was
    stolen of any, as who stands still by that waits in no run queue."""
    most, begin = 0, 0
    for end, book in enumerate(books):
        while book.at_ns - books[begin].at_ns > WAIT_WINDOW_NS and begin < end:
            begin += 1
        waited_ns = book.run_delay_ns - books[begin].run_delay_ns
        waited_ns += (book.steal_ns - books[begin].steal_ns) * stolen
        most = max(most, waited_ns)
    return most
