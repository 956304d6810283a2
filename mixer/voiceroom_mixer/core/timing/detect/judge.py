"""Which of the faults is the verdict, when it began, when it has ended, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.core.timing.detect.verdicts import KINDS, Claim, Evidence, Kind, Verdict

Status = Literal["recovered", "late", "restarted"]
STATUSES: Final[tuple[Status, ...]] = ("recovered", "late", "restarted")
FADE_NS: Final = NS_PER_S
"""Harm counts half as much after this time."""
TAKE_OVER: Final = 1.5
"""Another fault becomes the verdict when it harms so much more: no flapping between two."""


@dataclass(slots=True)
class _Active:
    since_ns: int
    begun_ns: int
    last_ns: int
    first_ns: int
    """Harm of the first claim: no tick was mixed meanwhile."""
    harm: float
    evidence: tuple[Evidence, ...]

    def faded(self, now_ns: int) -> float:
        return float(self.harm * 0.5 ** ((now_ns - self.last_ns) / FADE_NS))


class Judge:
    """Claims in, one verdict out. Its time is counted in ticks mixed, which no clock can fool."""

    def __init__(self) -> None:
        self._active: dict[Kind, _Active] = {}
        self.verdict: Verdict | None = None
        self.raised: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        """Faults begun, of each kind."""
        self.ended: dict[Status, int] = dict.fromkeys(STATUSES, 0)
        """Faults ended, by how."""
        self.version = 0
        """Grows with each change of the verdict."""

    def claim(self, claim: Claim, now_ns: int) -> None:
        """Take a detector's word in at ``now_ns`` of ticks mixed."""
        harm = claim.harm_ns * matrix.ROW[claim.kind].weight
        active = self._active.get(claim.kind)
        if active is None:
            self.raised[claim.kind] += 1
            self._active[claim.kind] = _Active(
                claim.since_ns, now_ns, now_ns, claim.harm_ns, harm, claim.evidence
            )
        else:
            active.harm = active.faded(now_ns) + harm
            active.last_ns, active.evidence = now_ns, claim.evidence
        self._choose(now_ns)

    def settle(self, now_ns: int) -> None:
        """End what was not claimed for its hold; cheap while nothing is wrong."""
        if not self._active:
            return
        gone = [k for k, a in self._active.items() if now_ns - a.last_ns > matrix.ROW[k].hold_ns]
        for kind in gone:
            active = self._active.pop(kind)
            lasted_ns = active.last_ns - active.begun_ns + active.first_ns
            self.ended["recovered" if lasted_ns <= matrix.RECOVERED_WITHIN_NS else "late"] += 1
        if gone:
            self._choose(now_ns)

    def _choose(self, now_ns: int) -> None:
        harms = {kind: active.faded(now_ns) for kind, active in self._active.items()}
        before = self.verdict
        if not harms:
            self.verdict = None
        else:
            kind = max(harms, key=lambda name: harms[name])
            if before and before.kind in harms and harms[kind] < TAKE_OVER * harms[before.kind]:
                kind = before.kind
            active = self._active[kind]
            also = tuple(other for other in KINDS if other in harms and other != kind)
            self.verdict = Verdict(kind, active.since_ns, active.evidence, also)
        if _named(before) != _named(self.verdict):
            self.version += 1


def _named(verdict: Verdict | None) -> tuple[Kind | None, tuple[Kind, ...]]:
    return (verdict.kind, verdict.also) if verdict else (None, ())
