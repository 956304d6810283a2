"""Pauses inferred from nothing but how late ticks were, and how well that guess is.

Where a program pauses, a ticker whose deadline falls into the pause is late by what was left of it:
the pause lasted from at the latest that deadline to the moment at which the tick ran. A pause that
ends before the next deadline is not seen at all. So of pauses of length p, ticks each T and a
threshold h, a share of min(1, (p - h) / T) is seen; nothing can be said of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from voiceroom_driftlab.experiments.trace import Nanoseconds


class Pause(NamedTuple):
    """From when to when, on the monotonic clock."""

    begin_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """How long it was."""
        return self.end_ns - self.begin_ns


@dataclass(frozen=True, slots=True)
class Inference:
    """Pauses that were inferred, beside those that there were."""

    inferred: int
    true: int
    detectable: int
    """Those that hold a deadline, with more than the threshold left after it."""
    precision: float
    recall: float
    """Of all."""
    recall_detectable: float
    expected_recall: float
    """By the rule above."""
    end_error_us: float
    """Of the ends of those that were found, on average: the time to wake up."""


def infer(
    due_ns: Nanoseconds, late_ns: Nanoseconds, own_late_ns: Nanoseconds, limit_ns: float
) -> list[Pause]:
    """A pause for each tick of whose lateness more than ``limit_ns`` was the process's own.

    Where ticks are not skipped, those that were due before a pause had ended belong to it.
    """
    found: list[Pause] = []
    for index in (own_late_ns > limit_ns).nonzero()[0].tolist():
        due = int(due_ns[index])
        if not found or due > found[-1].end_ns:
            found.append(Pause(due, due + int(late_ns[index])))
    return found


def score(
    inferred: Sequence[Pause], true: Sequence[Pause], due_ns: Nanoseconds, period_ns: int,
    limit_ns: float,
) -> Inference:  # fmt: skip
    """An inferred pause is right when it and a true one overlap."""
    right = [one for one in inferred if any(_overlap(one, other) for other in true)]
    found = [p for p in true if any(_overlap(p, one) for one in inferred)]
    can = [p for p in true if _left_of(p, due_ns) > limit_ns]
    ends = [abs(one.end_ns - _of(one, true).end_ns) for one in right]
    return Inference(
        len(inferred), len(true), len(can),
        _share(len(right), len(inferred)), _share(len(found), len(true)),
        _share(sum(p in found for p in can), len(can)),
        _share(sum(seen_share(p.length_ns, period_ns, limit_ns) for p in true), len(true)),
        sum(ends) / len(ends) / 1e3 if ends else 0.0,
    )  # fmt: skip


def seen_share(length_ns: float, period_ns: float, limit_ns: float) -> float:
    """How many of pauses of this length ticks of this period show."""
    return min(1.0, max(0.0, (length_ns - limit_ns) / period_ns))


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 1.0


def _overlap(a: Pause, b: Pause) -> bool:
    return a.begin_ns < b.end_ns and b.begin_ns < a.end_ns


def _of(one: Pause, true: Sequence[Pause]) -> Pause:
    """The true one that it overlaps most."""
    return max(true, key=lambda p: min(one.end_ns, p.end_ns) - max(one.begin_ns, p.begin_ns))


def _left_of(pause: Pause, due_ns: Nanoseconds) -> int:
    """What is left of a pause at the first deadline in it."""
    index = int(due_ns.searchsorted(pause.begin_ns))
    return max(0, pause.end_ns - int(due_ns[index])) if index < len(due_ns) else 0
