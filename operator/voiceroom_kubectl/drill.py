"""``chaos --drill``: the article's three rows before, under and after a fault, and whether they
are as they should be.

Frame failure is the share of frames that were late or skipped; degraded P95 is that of the ticks'
work while the breaker is open. Time is this machine's own, which no fault of a mixer touches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_kubectl import top
from voiceroom_kubectl.chaos import Ask, Outcome, each
from voiceroom_kubectl.cluster import Cluster, ClusterError, Object
from voiceroom_kubectl.output import shown
from voiceroom_kubectl.report import Call
from voiceroom_kubectl.watch import Watch

CALM_SHARE: Final = 0.01
"""Of frames that may fail before and after."""
OPEN_SHARE: Final = 0.5
"""From this share of failing frames on the breaker has to open."""
P95_SLACK: Final = 1.1
"""The degraded P95 may be so many times the one before: histograms are coarse."""
MEASURE_S: Final = 10
SETTLE_S: Final = 2
"""Between the fault and its measurement."""
CALM_S: Final = 15
"""After the fault: the breaker is open for 5 s and half open for 5 s."""
LEAST_S: Final = 10
"""Of a fault that can be measured."""
_STATES: Final = ("closed", "half-open", "open")
HEADS: Final = ("POD", "MEASURE", "BEFORE", "CHAOS", "AFTER", "WANTED")


@dataclass(frozen=True)
class Phase:
    """One pod over one stretch of time; None = not known."""

    failed: float | None = None
    """Share of frames."""
    p95_ms: float | None = None
    """Of the ticks' work."""
    breaker: str | None = None
    """The worst state that was seen."""
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = {"frameFailureRatio": self.failed, "workP95Ms": self.p95_ms}
        return found | {"breaker": self.breaker} | ({"error": self.error} if self.error else {})


@dataclass(frozen=True)
class Trial:
    """One pod's drill."""

    pod: str
    before: Phase
    chaos: Phase
    after: Phase
    ended: bool
    """The fault was over when it should be."""

    def faults(self) -> list[str]:
        """What is not as it should be; empty = passed."""
        phases = (("before", self.before), ("chaos", self.chaos), ("after", self.after))
        unknown = [f"{name}: {phase.error}" for name, phase in phases if phase.error]
        checks = [] if unknown else [*self._calm(), *self._degraded()]
        return unknown + checks + ([] if self.ended else ["the fault did not end at its deadline"])

    def _calm(self) -> list[str]:
        found = []
        for name, phase in (("before", self.before), ("after", self.after)):
            if phase.failed is None or phase.failed > CALM_SHARE:
                found.append(f"{name}: {percent(phase.failed)} of frames failed")
        if self.after.breaker != "closed":
            found.append(f"after: the breaker is {self.after.breaker}")
        return found

    def _degraded(self) -> list[str]:
        chaos, usual = self.chaos, self.before.p95_ms
        if chaos.breaker != "open":
            failed = chaos.failed or 0.0
            words = f"chaos: {percent(failed)} of frames failed and the breaker did not open"
            return [words] if failed >= OPEN_SHARE else []
        if usual is None or chaos.p95_ms is None:
            return ["chaos: no tick was measured"]
        if chaos.p95_ms > usual * P95_SLACK:
            return [f"chaos: degraded ticks take {chaos.p95_ms:.2f} ms at P95, before {usual:.2f}"]
        return []

    def rows(self) -> list[list[str]]:
        """The article's three, of the table."""
        phases = (self.before, self.chaos, self.after)
        failed = [percent(phase.failed) for phase in phases]
        states = [shown(phase.breaker) for phase in phases]
        p95s = [shown(phase.p95_ms, 2) for phase in phases]
        return [
            [self.pod, "frame failure", *failed, f"{percent(CALM_SHARE)} at most before and after"],
            ["", "breaker", *states, f"open from {percent(OPEN_SHARE)} failing on, then closed"],
            ["", "P95 of ticks, ms", *p95s, f"{P95_SLACK:g} times before at most while open"],
        ]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        phases = {"before": self.before, "chaos": self.chaos, "after": self.after}
        found = {name: phase.to_dict() for name, phase in phases.items()}
        return {"pod": self.pod, **found, "passed": not self.faults(), "faults": self.faults()}


def percent(share: float | None) -> str:
    """Of a table's cell."""
    return shown(None if share is None else 100 * share, 1) + ("" if share is None else "%")


@dataclass(frozen=True)
class Drill:
    """What it works with."""

    cluster: Cluster
    pods: Sequence[Object]
    ask: Ask
    watch: Watch
    remark: Callable[[str], None]

    def run(self, wanted: Call, seconds: int) -> list[Trial]:
        """Raises ``ClusterError`` when the fault cannot begin everywhere; then none is left."""
        self.remark(f"before: {MEASURE_S} s")
        before = self._phase(MEASURE_S)
        self.remark(f"chaos: {seconds} s")
        end_s = self.watch.monotonic_s() + seconds
        self._begin(wanted)
        self.watch.sleep(SETTLE_S)
        chaos = self._phase(int(end_s - self.watch.monotonic_s()) - 1)
        self.watch.sleep(max(0.0, end_s - self.watch.monotonic_s()) + CALM_S)
        self.remark(f"after: {MEASURE_S} s")
        after = self._phase(MEASURE_S)
        ended = [not (one.error or one.active) for one in self._each("GET", wanted.path)]
        names = [pod["metadata"]["name"] for pod in self.pods]
        return [Trial(*parts) for parts in zip(names, before, chaos, after, ended, strict=True)]

    def _each(self, method: str, path: str) -> list[Outcome]:
        return each(self.pods, self.ask, Call(method, path))

    def _begin(self, wanted: Call) -> None:
        begun = each(self.pods, self.ask, wanted)
        refused = [f"{one.pod}: {one.error}" for one in begun if one.error]
        if refused:
            ours = [pod for pod, one in zip(self.pods, begun, strict=True) if not one.error]
            each(ours, self.ask, Call("DELETE", wanted.path))
            raise ClusterError("; ".join(refused))

    def _phase(self, seconds: int) -> list[Phase]:
        first = [top.reading(self.cluster, pod) for pod in self.pods]
        states: list[str | None] = [None] * len(self.pods)
        for _ in range(max(1, seconds)):
            self.watch.sleep(1)
            states = [worse(s, self._breaker(p)) for s, p in zip(states, self.pods, strict=True)]
        last = [top.reading(self.cluster, pod) for pod in self.pods]
        return [_phase(*parts) for parts in zip(first, last, states, strict=True)]

    def _breaker(self, pod: Object) -> str | None:
        try:
            said: Mapping[str, Any] = self.ask(pod, Call("GET", "/admin/v1/status")).body
        except ClusterError:
            return None
        state = said.get("breaker")
        return state if isinstance(state, str) else None


def worse(one: str | None, other: str | None) -> str | None:
    """Of two states; one that is not known counts least."""
    known = [state for state in (one, other) if state in _STATES]
    return max(known, key=_STATES.index, default=None)


def _phase(first: top.Reading | str, last: top.Reading | str, breaker: str | None) -> Phase:
    if isinstance(first, str) or isinstance(last, str):
        return Phase(breaker=breaker, error=last if isinstance(last, str) else str(first))
    skipped, late = last.skipped - first.skipped, last.late - first.late
    frames = last.ticks - first.ticks + skipped
    p95_s = top.quantile(0.95, first.work, last.work)
    return Phase(
        failed=round(min(1.0, (late + skipped) / frames), 4) if frames > 0 else None,
        p95_ms=None if p95_s is None else round(p95_s * 1_000, 3),
        breaker=breaker,
    )
