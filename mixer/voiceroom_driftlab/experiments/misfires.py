"""Timer heaps under a clock whose readings step, beside the time that really passed (S2.4)."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voiceroom_driftlab.draws import Draw
from voiceroom_mixer.core.timing.timers import TimerHeap

Look = Callable[[int], Iterable[int]]
"""Looks at the timers with a reading of the clock; gives the deadlines that fire."""
MakeLook = Callable[[Sequence[int]], Look]


class Reading(NamedTuple):
    """One look at the clock, ns."""

    true_ns: int
    shown_ns: int


@dataclass(frozen=True, slots=True)
class Misfires:
    """Of one set of timers over one sequence of readings."""

    timers: int
    at_step: int
    """Fired at the reading that stepped."""
    early: int
    """Fired before their time had really come."""
    late: int
    """Fired at a look before which their time had passed already at an earlier look."""
    repeated: int
    """Firings of a timer that had fired before."""
    never: int


def as_written(deadlines: Sequence[int]) -> Look:
    """The article's loop to the letter: what is due fires, and stays in the heap."""
    return lambda now_ns: [one for one in deadlines if one <= now_ns]


def plain_heap(deadlines: Sequence[int]) -> Look:
    """As it must be meant: what fires is taken out."""
    heap = sorted(deadlines)

    def look(now_ns: int) -> Iterable[int]:
        while heap and heap[0] <= now_ns:
            yield heapq.heappop(heap)

    return look


def clamped_heap(deadlines: Sequence[int]) -> Look:
    """The mixer's ``TimerHeap``."""
    heap: TimerHeap[None] = TimerHeap()
    for deadline_ns in deadlines:
        heap.set(deadline_ns, None)
    return lambda now_ns: [fired.deadline_ns for fired in heap.pop_due(now_ns)]


HEAPS: Final[dict[str, MakeLook]] = {
    "the article's loop, nothing is taken out": as_written,
    "a heap that takes out what fires": plain_heap,
    "TimerHeap of the mixer": clamped_heap,
}


def play(make: MakeLook, deadlines: Sequence[int], readings: Sequence[Reading]) -> Misfires:
    """``deadlines`` are distinct. The step is at the second reading."""
    look = make(deadlines)
    fired: Counter[int] = Counter()
    early = late = at_step = 0
    before_ns = readings[0].true_ns - 1
    for index, reading in enumerate(readings):
        due = list(look(reading.shown_ns))
        at_step += len(due) if index == 1 else 0
        fresh = [one for one in due if not fired[one]]
        early += sum(one > reading.true_ns for one in fresh)
        late += sum(one <= before_ns for one in fresh if index)
        fired.update(due)
        before_ns = reading.true_ns
    repeated = sum(fired.values()) - len(fired)
    return Misfires(len(deadlines), at_step, early, late, repeated, len(deadlines) - len(fired))


def stepping(start_ns: int, step_ns: int, passed_ns: int, after: int) -> list[Reading]:
    """A reading, one after ``passed_ns`` that shows a step, and one each ns for ``after`` more."""
    then_ns = start_ns + passed_ns
    shown_ns = start_ns + step_ns
    return [
        Reading(start_ns, start_ns),
        *(Reading(then_ns + n, shown_ns + n) for n in range(after + 1)),
    ]


def wandering(draw: Draw, start_ns: int, looks: int) -> list[Reading]:
    """A look each us or so; one in twenty steps the clock, by up to 50 us either way."""
    readings, true_ns, offset_ns = [Reading(start_ns, start_ns)], start_ns, 0
    for _ in range(looks):
        true_ns += int(draw.integers(1, 2_000))
        if draw.random() < 0.05:
            offset_ns += int(draw.integers(-50_000, 50_001))
        readings.append(Reading(true_ns, true_ns + offset_ns))
    return [*readings, Reading(true_ns + 1, true_ns + 10_000_000_000)]
