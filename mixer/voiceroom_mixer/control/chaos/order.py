"""The body of ``POST /admin/v1/chaos``: checked, or refused with the field and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from voiceroom_api.duration import parse_duration
from voiceroom_api.problems import shown
from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.admin.checks import refuse, whole
from voiceroom_mixer.core.chaos import KINDS, TARGETS, Injection, Kind, Target

MAX_S: Final = 600
MAX_OFFSET_MS: Final = 1_000
"""Far below the time-outs of legs: a drill must not end them."""
MAX_PPM: Final = 5_000
STOP_MS: Final = (10, 2_000)
PERIOD_MS: Final = (100, 60_000)
USUAL_PERIOD_MS: Final = 1_000
_COMMON: Final = ("kind", "for")
_FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "step": ("clock", "offsetMs"),
    "saw": ("clock", "offsetMs", "periodMs"),
    "rate": ("clock", "ppm"),
    "freeze": ("freezeMs", "periodMs"),
}
_Word = TypeVar("_Word", bound=str)


@dataclass(frozen=True, slots=True)
class Order:
    """A fault, not begun yet; numbers are 0 where the kind has none."""

    kind: Kind
    for_s: int
    clock: Target
    offset_ms: int
    ppm: int
    freeze_ms: int
    period_ms: int

    def begin(self, name: str, by: str, true_ns: int) -> Injection:
        """The same from now on."""
        return Injection(
            id=name,
            kind=self.kind,
            began_ns=true_ns,
            until_ns=true_ns + self.for_s * NS_PER_S,
            clock=self.clock,
            offset_ns=self.offset_ms * NS_PER_MS,
            ppm=float(self.ppm),
            stop_ns=self.freeze_ms * NS_PER_MS,
            period_ns=self.period_ms * NS_PER_MS,
            by=by,
        )


def read(body: Mapping[str, Any]) -> Order:
    """Raises ``ApiError`` 422."""
    kind: Kind = _word(body.get("kind"), "kind", KINDS)
    fields = _FIELDS[kind]
    for name in body:
        if name not in (*_COMMON, *fields):
            known = ", ".join((*_COMMON, *fields))
            raise refuse(str(name), f"is not known: {kind} takes {known}")
    order = Order(
        kind=kind,
        for_s=_duration(body.get("for")),
        clock=_word(body.get("clock", "monotonic"), "clock", TARGETS),
        offset_ms=_not_zero(body, "offsetMs", MAX_OFFSET_MS) if "offsetMs" in fields else 0,
        ppm=_not_zero(body, "ppm", MAX_PPM) if "ppm" in fields else 0,
        freeze_ms=whole(body, "freezeMs", "freezeMs", *STOP_MS) if "freezeMs" in fields else 0,
        period_ms=_period(body) if "periodMs" in fields else 0,
    )
    _check_together(order)
    return order


def _check_together(order: Order) -> None:
    if order.period_ms >= order.for_s * 1_000:
        raise refuse("periodMs", f"must be shorter than for (got {order.period_ms})")
    most = order.period_ms * 3 // 4  # so much opens the breaker, and orders are still taken
    if order.freeze_ms > most:
        raise refuse(
            "freezeMs",
            f"must be at most three quarters of periodMs, {most} (got {order.freeze_ms})",
        )


def _word(value: object, path: str, words: tuple[_Word, ...]) -> _Word:
    for word in words:
        if value == word:
            return word
    raise refuse(path, f"must be one of {', '.join(words)} (got {shown(value)})")


def _duration(value: object) -> int:
    """Whole seconds."""
    try:
        found = parse_duration(value) if isinstance(value, str) else 0
    except ValueError:
        found = 0
    if not 1 <= found <= MAX_S:
        raise refuse("for", f"must be a duration from 1s to {MAX_S // 60}m (got {shown(value)})")
    return int(found)


def _not_zero(body: Mapping[str, Any], name: str, most: int) -> int:
    found = whole(body, name, name, -most, most)
    if found == 0:
        raise refuse(name, f"must not be 0: from -{most} to {most}")
    return found


def _period(body: Mapping[str, Any]) -> int:
    given = {"periodMs": USUAL_PERIOD_MS, **body}
    return whole(given, "periodMs", "periodMs", *PERIOD_MS)
