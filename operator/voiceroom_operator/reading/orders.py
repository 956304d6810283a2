"""What a person decides about a canary: annotation ``voiceroom.dev/canary`` of its MixerPool."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.canary.case import Order, Wish
from voiceroom_operator.reading.wishes import UNREADABLE, WHY_CHARS, wish_of

_KEYS: Final = frozenset({"id", "do", "why"})
_WISHES: Final[Mapping[str, Wish]] = {
    "Promote": "Promote",
    "RollBack": "RollBack",
    "Retry": "Retry",
}


def order_of(body: Mapping[str, Any]) -> Order | None:
    """None = nobody has decided. ``problem`` says what is wrong with it."""
    said = wish_of(body, names.CANARY_ANNOTATION, '{"id": "1", "do": "Promote", "why": "..."}')
    if said is None:
        return None
    if isinstance(said, str):
        return Order(UNREADABLE, problem=said)
    wish, why = _WISHES.get(str(said.get("do")), ""), said.get("why", "")
    return Order(said["id"], wish, why if isinstance(why, str) else "", _problem(said, wish, why))


def _problem(said: Mapping[str, Any], wish: Wish, why: object) -> str:
    if unknown := sorted(map(str, said.keys() - _KEYS)):
        return f"there is no field {unknown[0][:64]}: id, do and why are known"
    if not wish:
        return "do must be Promote, RollBack or Retry"
    if not isinstance(why, str) or len(why) > WHY_CHARS:
        return f"why must be at most {WHY_CHARS} characters"
    return ""
