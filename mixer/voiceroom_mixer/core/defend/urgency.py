"""In which order the rooms of a tick are mixed.

The article pushes each task with a weight 0.7 * (1 - elapsed / deadline) + 0.3 * (rate / 48000) on
a min-heap. As written that serves the least urgent first (the first term falls as the deadline
nears), and an expired task, whose weight is set to 0.01, before all others. Here urgency grows with
the share of the budget that is used up; what has expired is mixed last, in a lane of its own, and
counted: its listeners have missed the frame already, the others need not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final, Self

from voiceroom_api.units import NS_PER_MS

MAX_RATE_RATIO: Final = 2.0
"""Rates above twice the base weigh no more: the term stays within 0..1."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The pool's ``spec.scheduling``."""

    alpha: float = 0.7
    beta: float = 0.3
    base_rate: int = 48_000
    deadline_ns: int = 9 * NS_PER_MS
    """From when the frame was due."""

    def to_bytes(self) -> bytes:
        """As it stands in the segment."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """What ``to_bytes`` made."""
        return cls(**json.loads(raw))


@dataclass(frozen=True, slots=True)
class Task:
    """One room's mix in this tick."""

    room: int
    due_ns: int
    """When the frame was due, on the clock of ``now_ns``."""
    rate: int = 48_000
    """Samples a second."""


def urgency(task: Task, weights: Weights, now_ns: int) -> float:
    """0..alpha + beta; the greater, the sooner."""
    used = (now_ns - task.due_ns) / weights.deadline_ns
    rate = min(task.rate / weights.base_rate, MAX_RATE_RATIO) / MAX_RATE_RATIO
    return weights.alpha * min(max(used, 0.0), 1.0) + weights.beta * rate


def expired(task: Task, weights: Weights, now_ns: int) -> bool:
    """Its deadline has passed."""
    return now_ns > task.due_ns + weights.deadline_ns


def order(
    tasks: Iterable[Task], weights: Weights, now_ns: int
) -> tuple[tuple[Task, ...], tuple[Task, ...]]:
    """(the rooms in the order to mix them, the expired ones, oldest first, to be mixed after
    them). Equal urgency keeps the order of ``tasks``."""
    living: list[Task] = []
    late: list[Task] = []
    for task in tasks:
        (late if expired(task, weights, now_ns) else living).append(task)
    living.sort(key=lambda task: -urgency(task, weights, now_ns))
    late.sort(key=lambda task: task.due_ns)
    return tuple(living), tuple(late)
