"""What is on record of a canary, in ``status.canary``: whoever leads next goes on from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from voiceroom_operator.canary.indicators import NAMES, Indicator, Name, Verdict, slots_of
from voiceroom_operator.canary.series import Seen, Series
from voiceroom_operator.reading.scalars import unix_s
from voiceroom_operator.status.conditions import timestamp

Phase = Literal["Waiting", "Observing", "Promoting", "Promoted", "RolledBack"]
State = Literal["Done", "Refused"]
_PHASES: Final[Mapping[str, Phase]] = {phase: phase for phase in get_args(Phase)}
_STATES: Final[Mapping[str, State]] = {state: state for state in get_args(State)}
_VERDICTS: Final[Mapping[str, Verdict]] = {verdict: verdict for verdict in get_args(Verdict)}
_MESSAGE_CHARS: Final = 1024


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a person's decision."""

    id: str
    state: State
    message: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """Of one canary. Times in Unix seconds, whole ones."""

    phase: Phase
    reason: str
    message: str
    since_s: float
    """When the phase began."""
    of: str
    revision: str
    """What is tried."""
    rooms: int = 0
    """Of the other pool, that the canary runs."""
    unready_since_s: float | None = None
    """Since when no pod of it is in service."""
    judged_s: float = 0.0
    """When ``indicators`` were worked out."""
    applied: int = 0
    """Generation of the other pool once it was given the canary's image; 0 = not yet."""
    restarts_before: int = 0
    """Of containers, when the trial began."""
    answered: Answered | None = None
    indicators: tuple[Indicator, ...] = ()

    def shares(self) -> bool:
        """Whether it runs its share of rooms."""
        return self.phase in ("Observing", "Promoting") and self.unready_since_s is None

    def to_dict(self) -> dict[str, Any]:
        """As in ``status.canary``."""
        found: dict[str, Any] = {"phase": self.phase, "reason": self.reason}
        found |= {"message": self.message[:_MESSAGE_CHARS], "since": timestamp(self.since_s)}
        found |= {"of": self.of, "revision": self.revision, "rooms": self.rooms}
        if self.unready_since_s is not None:
            found["unreadySince"] = timestamp(self.unready_since_s)
        if self.judged_s:
            found["judgedAt"] = timestamp(self.judged_s)
        if self.applied:
            found["appliedGeneration"] = self.applied
        if self.restarts_before:
            found["restartsBefore"] = self.restarts_before
        if self.answered is not None:
            found["decision"] = _answer_dict(self.answered)
        if self.indicators:
            found["indicators"] = [indicator.to_dict() for indicator in self.indicators]
        return found

    def series(self, name: Name) -> Series:
        """What was counted for an indicator."""
        return next((each.slots for each in self.indicators if each.name == name), ())

    def seen(self, now_s: float) -> Seen:
        """Where the next operator begins to count: what came while nobody looked is not known."""
        jitter, recoveries = self.series("Jitter"), self.series("Recoveries")
        return Seen(now_s, jitter=jitter, recoveries=recoveries)


def record_of(status: Mapping[str, Any]) -> Record | None:
    """Of a MixerPool's status; None where there is none, or where it is spoilt."""
    said = status.get("canary")
    if not isinstance(said, Mapping):
        return None
    phase, since_s = _PHASES.get(str(said.get("phase"))), unix_s(said.get("since"))
    if phase is None or since_s is None:
        return None
    return Record(
        phase,
        str(said.get("reason", "")),
        str(said.get("message", "")),
        since_s,
        str(said.get("of", "")),
        str(said.get("revision", "")),
        _count(said.get("rooms")),
        unix_s(said.get("unreadySince")),
        unix_s(said.get("judgedAt")) or 0.0,
        _count(said.get("appliedGeneration")),
        _count(said.get("restartsBefore")),
        _answered(said.get("decision")),
        tuple(_indicators(said.get("indicators"))),
    )


def _answer_dict(answered: Answered) -> dict[str, str]:
    found = {"id": answered.id, "state": answered.state}
    return found | ({"message": answered.message} if answered.message else {})


def _answered(said: object) -> Answered | None:
    if not isinstance(said, Mapping):
        return None
    state = _STATES.get(str(said.get("state")))
    if state is None or not said.get("id"):
        return None
    return Answered(str(said["id"]), state, str(said.get("message", "")))


def _indicators(said: object) -> Iterable[Indicator]:
    entries = said if isinstance(said, list) else []
    by_name = {str(e.get("name")): e for e in entries if isinstance(e, Mapping)}
    for name in NAMES:
        entry = by_name.get(name)
        verdict = _VERDICTS.get(str(entry.get("verdict"))) if entry is not None else None
        if entry is None or verdict is None:
            continue
        slots = entry.get("slots")
        yield Indicator(
            name,
            verdict,
            _number(entry.get("value")),
            _number(entry.get("limit")) or 0.0,
            _count(entry.get("samples")),
            _count(entry.get("needed")),
            slots_of(slots if isinstance(slots, list) else ()),
        )


def _number(value: object) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if known else None  # type: ignore[arg-type]


def _count(value: object) -> int:
    known = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if known else 0  # type: ignore[return-value]
