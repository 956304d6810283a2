"""Those that are compared run in turns: A B A B, each time on a fresh server."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bench.measure import Sample


@dataclass(frozen=True, slots=True)
class Arm:
    """One of them: starts its server, measures one window, ends it."""

    name: str
    run: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Side:
    """The windows of an arm."""

    name: str
    samples: list[Sample]

    @property
    def good(self) -> list[Sample]:
        """Windows from which little was stolen."""
        return [s for s in self.samples if not s.inconclusive]

    def middle(self, value: Callable[[Sample], float]) -> float:
        """Median over the windows that count; over all when none does."""
        return statistics.median(value(s) for s in self.good or self.samples)

    def percent_per(self, count: int) -> float:
        """Median CPU in percent of a core, for each of ``count``."""
        return self.middle(lambda s: s.cores) * 100 / count

    def to_dict(self) -> dict[str, Any]:
        """For the JSON of the run."""
        return {"name": self.name, "samples": [s.to_dict() for s in self.samples]}


def conclusive(*sides: Side) -> bool:
    """Whether each side has a window from which little was stolen."""
    return all(side.good for side in sides)


def alternate(arms: Sequence[Arm], repeats: int, say: Callable[[str], None]) -> list[Side]:
    """Neither side has the better moment of the machine."""
    found: list[list[Sample]] = [[] for _ in arms]
    for n in range(repeats):
        for arm, samples in zip(arms, found, strict=True):
            sample = arm.run()
            samples.append(sample)
            flag = ", much stolen" if sample.inconclusive else ""
            say(f"{arm.name}: {sample.cores:.3f} cores ({n + 1} of {repeats}{flag})")
    return [Side(arm.name, samples) for arm, samples in zip(arms, found, strict=True)]
