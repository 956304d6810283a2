"""What may be ordered, and how much of it at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from voiceroom_api.duration import parse_duration
from voiceroom_api.problems import shown
from voiceroom_chaosdoor.refusal import invalid

Kind = Literal["throttle", "netem"]
KINDS: Final[tuple[Kind, ...]] = ("throttle", "netem")
MAX_S: Final = 600
PERCENT: Final = (1, 99)
MAX_DELAY_MS: Final = 1_000
MAX_LOSS_PERCENT: Final = 50
"""So far legs stay, and their consent checks get through: a drill must not end them."""
_FIELDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "throttle": ("percent",),
    "netem": ("delayMs", "jitterMs", "lossPercent"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A fault that is not begun yet; numbers are 0 where the kind has none."""

    kind: Kind
    for_s: int
    percent: int = 0
    """Of its quota, that is left to the mixer."""
    delay_ms: int = 0
    jitter_ms: int = 0
    """Delays are spread over delay +- jitter."""
    loss_percent: float = 0.0

    def strength(self) -> dict[str, float]:
        """By the names of the order's fields."""
        if self.kind == "throttle":
            return {"percent": self.percent}
        numbers = (self.delay_ms, self.jitter_ms, self.loss_percent)
        return dict(zip(_FIELDS["netem"], numbers, strict=True))


def read(body: Mapping[str, Any]) -> Order:
    """Raises ``Refused`` 422."""
    kind = _kind(body.get("kind"))
    _check_names(kind, body)
    for_s = _duration(body.get("for"))
    if kind == "throttle":
        low, high = PERCENT
        return Order(kind, for_s, percent=int(_number(body, "percent", low, high, whole=True)))
    order = Order(
        kind,
        for_s,
        delay_ms=int(_number(body, "delayMs", 0, MAX_DELAY_MS, whole=True)),
        jitter_ms=int(_number(body, "jitterMs", 0, MAX_DELAY_MS, whole=True)),
        loss_percent=_number(body, "lossPercent", 0, MAX_LOSS_PERCENT),
    )
    _check_together(order)
    return order


def _kind(value: object) -> Kind:
    for kind in KINDS:
        if value == kind:
            return kind
    raise invalid("kind", f"must be one of {', '.join(KINDS)} (got {shown(value)})")


def _check_names(kind: Kind, body: Mapping[str, Any]) -> None:
    known = ("kind", "for", *_FIELDS[kind])
    for name in body:
        if name not in known:
            raise invalid(str(name), f"is not known: {kind} takes {', '.join(known)}")


def _check_together(order: Order) -> None:
    if order.jitter_ms > order.delay_ms:
        raise invalid(
            "jitterMs", f"must be at most delayMs, {order.delay_ms} (got {order.jitter_ms})"
        )
    if not order.delay_ms and not order.loss_percent:
        raise invalid("delayMs", "must not be 0 where lossPercent is 0 as well")


def _duration(value: object) -> int:
    try:
        found = parse_duration(value) if isinstance(value, str) else 0
    except ValueError:
        found = 0
    if not 1 <= found <= MAX_S:
        raise invalid("for", f"must be a duration from 1s to {MAX_S // 60}m (got {shown(value)})")
    return int(found)


def _number(
    body: Mapping[str, Any], name: str, low: int, high: int, *, whole: bool = False
) -> float:
    value = body.get(name, 0)
    fits = isinstance(value, int) or (isinstance(value, float) and not whole)
    if not fits or isinstance(value, bool) or not low <= value <= high:
        kind = "a whole number" if whole else "a number"
        raise invalid(name, f"must be {kind} from {low} to {high} (got {shown(value)})")
    return float(value)
