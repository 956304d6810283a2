"""From a pod's report to a cause and a remedy: the root-cause flow, with the branches that real
clouds need first. What the pod's own detectors say counts most: they saw the tick.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names

BEGIN_MS: Final = 5.0
"""The flow begins at more drift than this."""
THROTTLED_SHARE: Final = 0.01
STEAL_SHARE: Final = 0.02
CPU_SHARE: Final = 0.9
NTP_OFFSET_MS: Final = 50.0
LONG_PAUSE_MS: Final = 5.0
FULL_SHARE: Final = 0.95
GOOD_CLOCKSOURCES: Final = frozenset({"tsc", "arch_sys_counter"})

REMEDIES: Final[Mapping[str, str]] = {
    names.THROTTLE: "raise spec.resources.limits.cpu of the pool, or lower capacity, so that the "
    "quota lasts for a period",
    names.STARVED: "give the pool nodes of its own, or whole CPUs (realtime.mode Exclusive); on a "
    "virtual machine ask for CPUs that are not shared; where the CPU is busy with interrupts, let "
    "irqbalance keep those of network and disk off the mixers' CPUs",
    names.STEP_ONE: "find what writes into the process's clock (fault injection, a preloaded "
    "library): the kernel's own clocks agree",
    names.STEP_ALL: "the machine was paused or its clock was set: keep mixers off nodes that are "
    "suspended, snapshotted or migrated live",
    names.RATE: "look at NTP or chrony of the node, and at its clocksource: tsc where the CPU has "
    "an invariant one",
    names.FREEZE: "the pod stood still as a whole: look for live migration, a paused container, a "
    "debugger, a full disk under swap",
    names.GC: "too many objects in the media process: fewer rooms a pod; report it with what "
    "/debug shows",
    names.GIL: "another thread of the process holds the interpreter: take the extension out that "
    "runs it; report it with what /debug shows",
    names.LOOP_BLOCK: "one call holds the loop (control's, where the evidence is its heartbeat): "
    "its stack is in the pod's log; report it",
    names.OVERLOAD: "more pods (size.max), fewer rooms in each (capacity), or more CPU",
    "": "nothing that is known explains it: compare with other pods of the node, and with the "
    "node's own latency (cyclictest, the boards)",
}
"""By verdict; empty = no cause was found."""
SILENT_REMEDY: Final = (
    "look at the pod and its node (kubectl describe pod): it does not answer, or the operator "
    "cannot reach its port admin"
)


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of a pod; None = not known."""

    drift_ms: float | None = None
    """Tick lateness at p99."""
    verdict: str = ""
    """The pod's own."""
    evidence: tuple[str, ...] = ()
    """The pod's own, in words."""
    throttled_share: float | None = None
    """Of the periods of its quota."""
    steal_share: float | None = None
    cpu_share: float | None = None
    """Of the node, or of the pod's CPUs."""
    ntp_offset_ms: float | None = None
    clocksource: str | None = None
    gc_ms: float | None = None
    """The longest pause."""
    other_threads_ms: float | None = None
    """The longest that another thread of the media process held the interpreter."""
    work_share: float | None = None
    """Of a frame, by a tick's work at p99."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question of the flow."""

    question: str
    answer: bool | None
    """None = it cannot be told."""
    shown: str = ""
    """The figure."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What is wrong, why one thinks so, and what to do."""

    cause: str
    """Of ``names.VERDICTS``; empty = none."""
    bad: bool
    """Time is not kept."""
    evidence: tuple[str, ...]
    steps: tuple[Step, ...]
    remedy: str


def diagnose(signs: Signs) -> Diagnosis:
    """Walk the flow. The pod's verdict decides where there is one, else the first yes."""
    late = None if signs.drift_ms is None else signs.drift_ms > BEGIN_MS
    begin = Step(f"ticks more than {BEGIN_MS:g} ms late", late, _figure(signs.drift_ms, " ms"))
    if not signs.verdict and not late:
        return Diagnosis("", False, (), (begin,), "")
    asked = list(_flow(signs))
    steps = (begin, *(step for step, _ in asked))
    found = next((cause for step, cause in asked if step.answer), "")
    cause = signs.verdict or found
    evidence = signs.evidence or tuple(
        f"{step.question}: {step.shown}" for step, of in asked if step.answer and of == cause
    )
    return Diagnosis(cause, True, evidence, steps, REMEDIES.get(cause, REMEDIES[""]))


def _flow(signs: Signs) -> Iterator[tuple[Step, str]]:
    """The questions in their order, and what a yes means."""
    yield (
        _over("throttled by its own quota", signs.throttled_share, THROTTLED_SHARE),
        names.THROTTLE,
    )
    yield _over("steal above 2 %", signs.steal_share, STEAL_SHARE), names.STARVED
    yield _over("CPU above 90 %", signs.cpu_share, CPU_SHARE), names.STARVED
    yield _over("NTP offset", signs.ntp_offset_ms, NTP_OFFSET_MS, " ms"), names.RATE
    source = signs.clocksource
    slow = None if source is None else source not in GOOD_CLOCKSOURCES
    yield Step("clocksource is not the CPU's own counter", slow, source or ""), names.RATE
    yield _over("garbage collection", signs.gc_ms, LONG_PAUSE_MS, " ms"), names.GC
    yield _over("another thread", signs.other_threads_ms, LONG_PAUSE_MS, " ms"), names.GIL
    yield _over("work fills the frame", signs.work_share, FULL_SHARE), names.OVERLOAD


def _over(question: str, value: float | None, limit: float, unit: str = "") -> Step:
    share = "" if value is None else f"{value:.1%}"
    shown = _figure(value, unit) if unit else share
    return Step(question, None if value is None else value > limit, shown)


def _figure(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.1f}{unit}"


def signs_of(report: Mapping[str, Any]) -> Signs:
    """From a pod's ``GET /admin/v1/status``; what cannot be read counts as not known."""
    timing, realtime = _mapping(report.get("timing")), _mapping(report.get("realtime"))
    evidence = [entry for entry in _list(timing.get("evidence")) if isinstance(entry, Mapping)]
    verdict = timing.get("verdict")
    periods, throttled = _number(realtime.get("periods")), realtime.get("throttledPeriods")
    headroom = _number(report.get("headroom"))
    return Signs(
        drift_ms=_drift(timing),
        verdict=verdict if verdict in names.VERDICTS else "",
        evidence=evidence_words(evidence),
        throttled_share=(_number(throttled) or 0.0) / periods if periods else None,
        steal_share=_named(evidence, "steal", "share"),
        clocksource=_text(report.get("clocksource")) or None,
        gc_ms=_named(evidence, "gc", "ms"),
        other_threads_ms=_named(evidence, "other threads", "ms"),
        work_share=None if headroom is None else 1.0 - headroom,
    )


def evidence_words(evidence: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """``run-queue delay 45.2 ms``."""
    found = ((_text(entry.get("name")), entry) for entry in evidence)
    return tuple(f"{name} {_value(entry)}" for name, entry in found if name)


def _value(entry: Mapping[str, Any]) -> str:
    value, unit = _number(entry.get("value")), _text(entry.get("unit"))
    if value is None:
        return "?"
    if unit == "share":
        return f"{value:.0%}"
    return f"{value:g}" if unit in ("", "count") else f"{value:.1f} {unit}"


def _drift(timing: Mapping[str, Any]) -> float | None:
    """Of the worst of the newest seconds, else of all time."""
    windows = (entry for entry in _list(timing.get("windows")) if isinstance(entry, Mapping))
    found = [value for w in windows if (value := _number(w.get("latenessP99Ms"))) is not None]
    return max(found, default=_number(timing.get("p99Ms")))


def _named(evidence: Sequence[Mapping[str, Any]], name: str, unit: str) -> float | None:
    """The figure whose name begins so."""
    for entry in evidence:
        if _text(entry.get("name")).startswith(name) and entry.get("unit") == unit:
            return _number(entry.get("value"))
    return None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
        else None
    )
