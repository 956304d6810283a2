"""How far a clock's readings are ahead of the kernel, and what disproves it.

Timers end by the kernel's clock, and a reading is only an account of it: a vDSO that was patched,
or a library that was preloaded, makes the account wrong and no timer later. A bracket (reading, the
kernel's own word, reading) proves within which bounds the two differ. What is believed of the
difference holds until a bracket disproves it, so that the width of brackets makes no noise.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from voiceroom_api.units import NS_PER_MS

SLACK_NS: Final = 50_000
"""Beyond a bracket's bounds by less is not followed: two ways to read one clock are this near."""
NARROW_NS: Final = 100_000
"""A wider bracket was preempted, or a step happened within it."""
STEP_NS: Final = NS_PER_MS
"""A correction of so much is counted; what is smaller follows a rate."""


class Bracket(NamedTuple):
    """The kernel's word between two readings of the same clock, in ns."""

    before_ns: int
    true_ns: int
    after_ns: int

    @property
    def middle_ns(self) -> int:
        """The likeliest difference."""
        return (self.before_ns + self.after_ns) // 2 - self.true_ns

    def beyond_ns(self, ahead_ns: int) -> int:
        """By how much ``ahead_ns`` is outside of what this proves; 0 = it may be right."""
        low_ns, high_ns = sorted((self.before_ns - self.true_ns, self.after_ns - self.true_ns))
        return max(low_ns - ahead_ns, ahead_ns - high_ns, 0)


class Ahead:
    """What is believed of one clock."""

    __slots__ = ("ns", "steps")

    def __init__(self) -> None:
        self.ns = 0
        """Reading less kernel."""
        self.steps = 0
        """Corrections of a millisecond or more."""

    def allows(self, before_ns: int, true_ns: int, after_ns: int) -> bool:
        """Whether such a bracket is narrow, and what is believed agrees with it. One that is not,
        or in which a reading went back, proves nothing by itself.

        Asked several times a tick, so of numbers and not of a ``Bracket``.
        """
        believed_ns = true_ns + self.ns
        return (
            before_ns <= after_ns <= before_ns + NARROW_NS
            and before_ns - SLACK_NS <= believed_ns <= after_ns + SLACK_NS
        )

    def learn(self, brackets: Iterable[Bracket]) -> None:
        """Of several at one moment the narrowest decides."""
        best = min(brackets, key=_disorder)
        if best.beyond_ns(self.ns) > SLACK_NS:
            self.steps += abs(best.middle_ns - self.ns) >= STEP_NS
            self.ns = best.middle_ns


def _disorder(bracket: Bracket) -> tuple[bool, int]:
    """Those that went back come last."""
    width_ns = bracket.after_ns - bracket.before_ns
    return width_ns < 0, abs(width_ns)
