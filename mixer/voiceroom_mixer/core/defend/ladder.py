"""The ladder L0..L5: one step down every 2 s while it is too much, one up after 30 s of calm.

Stress is the share of its frame that a tick takes, smoothed; the two thresholds lie apart (as in
Jitsi's load reducer, 0.9 and 0.72), so that a level that cures does not undo itself. Where a step
up was too much all the same, twice the calm is asked for before the next one, up to a bound.
"""

from __future__ import annotations

from dataclasses import dataclass

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.measures import LEVELS, WORST, Measures


@dataclass(frozen=True, slots=True)
class LadderLimits:
    """How fast, and from what on."""

    down_every_ns: int = 2_000 * NS_PER_MS
    up_after_ns: int = 30_000 * NS_PER_MS
    up_after_max_ns: int = 480_000 * NS_PER_MS
    too_much: float = 0.9
    enough: float = 0.72
    smoothing: float = 0.1
    """Weight of the newest tick."""
    push_alone_to: int = 1
    """So far a push goes while ticks do not suffer: what that level takes away nobody hears."""


class Ladder:
    """One media process's level."""

    def __init__(self, limits: LadderLimits | None = None) -> None:
        self.limits = limits or LadderLimits()
        self.level = 0
        self.stress = 0.0
        self.downs = self.ups = 0
        self._since_step_ns = self.limits.down_every_ns
        self._calm_ns = 0
        self._patience_ns = self.limits.up_after_ns
        self._was_up = False
        """The last step was one up."""

    @property
    def measures(self) -> Measures:
        """What holds now."""
        return LEVELS[self.level]

    def tick(self, *, work: float, breaker: Breaker, truth_ns: int) -> int:
        """One tick has passed: ``work`` is the share of its frame that it took, or 1 and more when
        it was skipped. Gives the step taken: -1 worse, 0 none, +1 better."""
        self.stress += self.limits.smoothing * (work - self.stress)
        self._since_step_ns += truth_ns
        if self._is_bad(breaker):
            return self._down()
        self._calm_ns = self._calm_ns + truth_ns if self.stress <= self.limits.enough else 0
        return self._up(breaker)

    def push(self) -> int:
        """Somebody else asks for one step: who sees waits for a CPU (``alarms.py``). It keeps the
        pace of any other, and goes beyond ``push_alone_to`` only while stress is over ``enough``.
        """
        limits = self.limits
        if self.stress > limits.enough or self.level < limits.push_alone_to:
            return self._down()
        if self.level == limits.push_alone_to:
            self._calm_ns = 0  # what brought it here goes on
        return 0

    def _is_bad(self, breaker: Breaker) -> bool:
        if breaker is Breaker.HALF_OPEN and self.level == 0:
            return True  # half-open is lived through at L1
        return breaker is Breaker.OPEN or self.stress >= self.limits.too_much

    def _down(self) -> int:
        self._calm_ns = 0
        if self.level == WORST or self._since_step_ns < self.limits.down_every_ns:
            return 0
        limits = self.limits
        if self._was_up and self._since_step_ns < limits.up_after_ns:
            self._patience_ns = min(2 * self._patience_ns, limits.up_after_max_ns)
        self._was_up = False
        self.level += 1
        self.downs += 1
        self._since_step_ns = 0
        return -1

    def _up(self, breaker: Breaker) -> int:
        floor = 0 if breaker is Breaker.CLOSED else 1
        if self.level == 0 and self._calm_ns >= self.limits.up_after_max_ns:
            self._patience_ns = self.limits.up_after_ns
        if self.level <= floor or self._calm_ns < self._patience_ns:
            return 0
        self._was_up = True
        self.level -= 1
        self.ups += 1
        self._since_step_ns = self._calm_ns = 0
        return 1
