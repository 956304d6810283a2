"""A pod's own word: the body of ``GET /admin/v1/status`` (contract §7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, get_args

from voiceroom_api import names
from voiceroom_api.diagnosis import evidence_words
from voiceroom_operator.observed import Grade, Held
from voiceroom_operator.reading.pods import PodReport
from voiceroom_operator.remediation.windows import Window
from voiceroom_operator.status.facts import Granted, RealtimeMode, Timeliness
from voiceroom_operator.status.moves import Arrival

_MODES: Final[Mapping[str, RealtimeMode]] = {mode: mode for mode in get_args(RealtimeMode)}
_GRADES: Final[Mapping[str, Grade]] = {grade: grade for grade in get_args(Grade)}
_REASON: Final = re.compile(r"[A-Z][A-Za-z]{0,63}")
"""What a condition's reason may be."""
_MESSAGE_CHARS: Final = 1024
_MOST_WINDOWS: Final = 60
_LAST_STEP: Final = 5
"""Of the ladder: joins are refused, and the pod asks to be left. With the step before it an open
breaker asks: one that opens for a moment is the pod's own business."""
P99_STEP_MS: Final = 0.5
P99_STEP_SHARE: Final = 0.5
HEADROOM_STEP: Final = 0.05
"""By how much a figure has to change to be another one."""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """All that the operator takes from a pod's status. What cannot be read counts as not said."""

    boot_id: str = ""
    """Another one: the container has started anew."""
    term: int = 0
    """The highest that the pod has heard of."""
    generation: int = 0
    """Of the assignment that it has, of whatever term; 0 = none. The next one is above it."""
    directory: int = 0
    """The number of the directory that it has; 0 = none."""
    pod: PodReport = field(default_factory=PodReport)
    participants: Mapping[str, int] = field(default_factory=dict)
    """People by room, of those that it owns."""
    arrivals: Mapping[str, Arrival] = field(default_factory=dict)
    """By room, of those that came to it from another pod."""
    unready: tuple[str, ...] = ()
    """Why it is not Ready, as codes."""
    realtime: Granted = field(default_factory=lambda: Granted("Shared"))
    quota_cpus: float | None = None
    """Of its cgroup, as it reads it back; None = none, or not told."""
    grade: Grade = ""
    """Of its node."""
    timing: Timeliness = field(default_factory=Timeliness)
    asks: bool = False
    """It asks to be left: what it can do in place has not helped."""


@dataclass(frozen=True, slots=True)
class RoomsSaid:
    """A report's rooms: the longest part of it, and most often the same as before."""

    raw: object = None
    holds: tuple[Held, ...] = ()
    participants: Mapping[str, int] = field(default_factory=dict)
    arrivals: Mapping[str, Arrival] = field(default_factory=dict)


NO_ROOMS: Final = RoomsSaid()


def rooms_said(raw: object, before: RoomsSaid = NO_ROOMS) -> RoomsSaid:
    """``before`` itself when the pod says the same again."""
    if raw == before.raw:
        return before
    rooms = [entry for entry in _list(raw) if _text(entry.get("name"))]
    owned = {entry["name"]: entry for entry in rooms if entry.get("role") == "owner"}
    return RoomsSaid(
        raw,
        holds=tuple(held for entry in rooms if (held := _held(entry))),
        participants={name: _count(entry.get("participants")) for name, entry in owned.items()},
        arrivals={name: _arrival(entry) for name, entry in owned.items() if entry.get("came")},
    )


def status_report(
    body: Mapping[str, Any], silent_s: float = 0.0, rooms: RoomsSaid | None = None
) -> StatusReport:
    """``silent_s``: for how long the pod has been asked since, and has not answered. ``rooms``:
    those of ``body``, where they have been read already."""
    said = rooms or rooms_said(body.get("rooms"))
    return StatusReport(
        boot_id=_text(body.get("bootId")),
        term=_count(body.get("term")),
        generation=_count(body.get("generation")),
        directory=_count(body.get("directory")),
        pod=PodReport(
            accepting=body.get("accepting") is not False,
            holds=said.holds,
            relays=_count(body.get("relays")),
            headroom=_share(body.get("headroom")),
            silent_s=silent_s,
        ),
        participants=said.participants,
        arrivals=said.arrivals,
        unready=_words(body.get("unready")),
        realtime=_granted(_mapping(body.get("realtime"))),
        quota_cpus=_amount(_mapping(body.get("realtime")).get("quotaCpus")),
        grade=_GRADES.get(_text(body.get("grade")), ""),
        timing=_timing(_mapping(body.get("timing"))),
        asks=_asks(_count(body.get("level")), is_open=body.get("breaker") == "open"),
    )


def _asks(level: int, *, is_open: bool) -> bool:
    return level + is_open >= _LAST_STEP


def windows_of(body: Mapping[str, Any]) -> tuple[Window, ...]:
    """The pod's newest whole seconds, the oldest first: they differ with each look."""
    said = _list(_mapping(body.get("timing")).get("windows"))
    numbered = (entry for entry in said[-_MOST_WINDOWS:] if _count(entry.get("window")))
    found = {
        entry["window"]: Window(
            entry["window"],
            ticks=_count(entry.get("ticks")),
            late=_count(entry.get("late")),
            skipped=_count(entry.get("skipped")),
            p50_ms=_amount(entry.get("latenessP50Ms")) or 0.0,
            p99_ms=_amount(entry.get("latenessP99Ms")) or 0.0,
            work_ms=_amount(entry.get("workP99Ms")) or 0.0,
        )
        for entry in numbered
    }
    return tuple(found[number] for number in sorted(found))


def steadied(report: StatusReport, before: StatusReport) -> StatusReport:
    """``report`` with the figures of ``before``, unless they have changed by what matters;
    ``before`` itself when nothing has.

    Figures tremble with every look, and each is written to all rooms of the pod.
    """
    old, new = before.timing, report.timing
    same = (old.verdict, old.since_s) == (new.verdict, new.since_s)
    timing = replace(
        new,
        p99_ms=_steady(new.p99_ms, old.p99_ms, P99_STEP_MS, P99_STEP_SHARE),
        message=old.message if same else new.message,
    )
    headroom = _steady(report.pod.headroom, before.pod.headroom, HEADROOM_STEP, 0.0)
    made = replace(report, timing=timing, pod=replace(report.pod, headroom=headroom))
    return before if made == before else made


def _steady(new: float | None, old: float | None, step: float, share: float) -> float | None:
    if new is None or old is None:
        return new
    return old if abs(new - old) <= max(step, share * old) else new


def _arrival(entry: Mapping[str, Any]) -> Arrival:
    came = _mapping(entry.get("came"))
    return Arrival(
        _count(entry.get("epoch")), _count(came.get("gapMs")), _count(came.get("lostFrames"))
    )


def _held(entry: Mapping[str, Any]) -> Held | None:
    name, epoch, legs = entry["name"], _count(entry.get("epoch")), _count(entry.get("legs"))
    match entry.get("role"):
        case "owner":
            return Held(name, epoch, "owner", legs)
        case "twin":
            return Held(name, epoch, "twin", legs)
        case "successor":
            return Held(name, epoch, "successor", legs)
        case "former":
            return Held(name, epoch, "former", legs)
    return None


def _granted(said: Mapping[str, Any]) -> Granted:
    mode, granted = _MODES.get(_text(said.get("mode"))), said.get("granted")
    if mode is None or not isinstance(granted, bool):
        return Granted(mode or "Shared")
    reason = _text(said.get("reason"))
    known = reason if _REASON.fullmatch(reason) else names.NOT_REPORTED
    words = ": ".join(filter(None, (_text(said.get("message")), _text(said.get("remedy")))))
    return Granted(mode, granted, known, words[:_MESSAGE_CHARS])


def _timing(said: Mapping[str, Any]) -> Timeliness:
    verdict = _text(said.get("verdict"))
    return Timeliness(
        p99_ms=_amount(said.get("p99Ms")),
        verdict=verdict if verdict in names.VERDICTS else "",
        since_s=_amount(said.get("since")),
        message=(_text(said.get("message")) or "; ".join(_evidence(said)))[:_MESSAGE_CHARS],
    )


def _evidence(said: Mapping[str, Any]) -> tuple[str, ...]:
    return evidence_words(_list(said.get("evidence")))


def _list(value: object) -> list[Mapping[str, Any]]:
    return (
        [entry for entry in value if isinstance(entry, Mapping)] if isinstance(value, list) else []
    )


def _words(value: object) -> tuple[str, ...]:
    return tuple(filter(None, map(_text, value))) if isinstance(value, list) else ()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _amount(value: object) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number and 0 <= value < float("inf") else None  # type: ignore[operator, arg-type]


def _share(value: object) -> float | None:
    amount = _amount(value)
    return None if amount is None else min(amount, 1.0)


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
