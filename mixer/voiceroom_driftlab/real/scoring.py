"""Verdicts matched to injections in time, and what is counted of an undisturbed while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab import score
from voiceroom_driftlab.real.plan import Injection
from voiceroom_driftlab.real.truth import WAIT_NS, Truth, longest_wait_ns
from voiceroom_driftlab.real.watching import Book, Seen
from voiceroom_driftlab.score import Outcome

AFTER_NS: Final = 2 * NS_PER_S
"""A verdict still counts so long after the end of what is to be named at once."""
BEFORE_NS: Final = 500 * NS_PER_MS
"""What bears a verdict out was at most so long before it."""
MAX_FALSE: Final = 1
Result = Literal["scored", "void", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Run:
    """One injection: what was done, what was said of it, and what that counts for."""

    injection: Injection
    truth: Truth
    outcome: Outcome
    result: Result
    why: str = ""
    """Of what does not count."""


def deadline_ns(injection: Injection, truth: Truth) -> int:
    """No verdict counts after it."""
    if injection.instant:
        return truth.ended_ns + AFTER_NS
    if injection.place == "control":
        return truth.began_ns + int(injection.strength * NS_PER_MS)
    return truth.began_ns + int(score.MAX_SECONDS * NS_PER_S)


def outcome(injection: Injection, truth: Truth, said: Sequence[Seen], begun_tick: int) -> Outcome:
    """``begun_tick``: the first that the fault made bad. The first verdict since the fault began
    counts, and none when it comes too late."""
    until_ns = deadline_ns(injection, truth)
    within = (one for one in said if truth.began_ns <= one.at_ns <= until_ns)
    first = next((one for one in within if one.kind is not None), None)
    kind, name, strength = injection.kind, injection.name, injection.strength
    if first is None:
        return Outcome(kind, name, strength, None, 0, 0.0)
    ticks = max(0, first.tick - begun_tick) + 1 if injection.instant else 0
    seconds = (first.at_ns - truth.began_ns) / NS_PER_S
    named = first.kind if ticks <= score.MAX_TICKS or kind is None else None
    return Outcome(kind, name, strength, named, ticks, seconds)


def standing(said: Sequence[Seen], began_ns: int) -> str:
    """Why nothing new can be told by what was said since the fault began: there was a verdict
    already. Empty where there was none."""
    before = [one.kind for one in said if one.at_ns < began_ns]
    return f"{before[-1]} was said before it began" if before and before[-1] else ""


def judged(injection: Injection, truth: Truth, said: Outcome, disturbed: str) -> Run:
    """What the run counts for; decided without a look at what was named."""
    if not truth.happened:
        return Run(injection, truth, said, "void", f"it did not happen: {truth.record}")
    result: Result = "inconclusive" if disturbed else "scored"
    return Run(injection, truth, said, result, disturbed)


class Verdict(NamedTuple):
    """One that came while nothing was injected."""

    kind: str
    tick: int
    lasted_s: float
    waited_ms: float
    """The most that media waited for a CPU in any 100 ms just before."""
    borne_out: bool
    """The kernel's books say that it really was starved, by the machine itself."""


@dataclass(slots=True)
class Quiet:
    """Minutes without a fault under a noisy neighbour."""

    minutes: float
    ticks: int = 0
    late: int = 0
    """Ticks that came a frame late or more."""
    late_5ms: int = 0
    stolen_share: float = 0.0
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def false(self) -> int:
        """Verdicts that nothing bears out."""
        return sum(not one.borne_out for one in self.verdicts)


def waited_before(said: Sequence[Seen], books: Sequence[Book]) -> dict[int, int]:
    """For each change, by its time, the most that media waited for a CPU, or that was stolen, in
    any 100 ms just before: nanoseconds."""
    found: dict[int, int] = {}
    for one in said:
        before = [book for book in books if -BEFORE_NS <= book.at_ns - one.at_ns <= 0]
        found[one.at_ns] = longest_wait_ns(before, stolen=True)
    return found


def quiet_verdicts(said: Sequence[Seen], waited: Mapping[int, int], end_ns: int) -> list[Verdict]:
    """Every change to a verdict is one. ``waited``: see ``waited_before``."""
    ends = [*(one.at_ns for one in said[1:]), end_ns]
    return [
        Verdict(
            one.kind, one.tick, round((after_ns - one.at_ns) / NS_PER_S, 3),
            round(waited.get(one.at_ns, 0) / NS_PER_MS, 1),
            one.kind == "starved" and waited.get(one.at_ns, 0) >= WAIT_NS,
        )
        for one, after_ns in zip(said, ends, strict=False)
        if one.kind is not None
    ]  # fmt: skip


def never_scored(runs: Sequence[Run]) -> list[str]:
    """Kinds of which no injection counts: nothing is known of them."""
    scored = {run.injection.kind for run in runs if run.result == "scored"}
    injected = dict.fromkeys(run.injection.kind for run in runs)
    return [kind or score.NOTHING for kind in injected if kind not in scored]


def as_json(runs: Sequence[Run], quiet: Quiet | None) -> dict[str, Any]:
    """Everything, for a file."""
    counted = [run.outcome for run in runs if run.result == "scored"]
    said = score.as_json(counted)
    said["passed"] = said["passed"] and not never_scored(runs)
    if quiet is not None:
        said["quiet"] = asdict(quiet) | {"false": quiet.false}
        said["passed"] = said["passed"] and quiet.false <= MAX_FALSE
    return said | {"runs": [_one(run) for run in runs]}


def _one(run: Run) -> dict[str, Any]:
    return asdict(run.outcome) | {"result": run.result, "why": run.why, "record": run.truth.record}


def left_out(runs: Sequence[Run]) -> list[str]:
    """A line for each run that does not count."""
    return [
        f"{run.result}: {run.injection.label}: {run.why}" for run in runs if run.result != "scored"
    ]
