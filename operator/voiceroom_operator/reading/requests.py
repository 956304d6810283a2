"""The move that a person asks for: annotation ``voiceroom.dev/move`` (contract §11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.binding.request import Answer, Request, State
from voiceroom_operator.reading.scalars import unix_s
from voiceroom_operator.reading.wishes import UNREADABLE, WHY_CHARS, wish_of

_KEYS: Final = frozenset({"id", "to", "why"})
_NODE: Final = re.compile(r"[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?")
_STATES: Final[Mapping[str, State]] = {
    "Waiting": "Waiting",
    "Moving": "Moving",
    "Done": "Done",
    "Refused": "Refused",
    "Failed": "Failed",
}


def request_of(body: Mapping[str, Any]) -> Request | None:
    """Of a VoiceRoom; None = nobody asks. ``problem`` says what is wrong with it."""
    said = wish_of(body, names.MOVE_ANNOTATION, '{"id": "1", "why": "..."}')
    if said is None:
        return None
    if isinstance(said, str):
        return Request(UNREADABLE, problem=said)
    to, why = said.get("to", ""), said.get("why", "")
    known = to if isinstance(to, str) and _NODE.fullmatch(to) else ""
    return Request(said["id"], known, why if isinstance(why, str) else "", _problem(said, to, why))


def _problem(said: Mapping[str, Any], to: object, why: object) -> str:
    if unknown := sorted(map(str, said.keys() - _KEYS)):
        return f"there is no field {unknown[0][:64]}: id, to and why are known"
    if "to" in said and not (isinstance(to, str) and _NODE.fullmatch(to)):
        return "to must be the name of a node"
    if not isinstance(why, str) or not 1 <= len(why) <= WHY_CHARS:
        return f"why must be 1 to {WHY_CHARS} characters"
    return ""


def answer_of(status: Mapping[str, Any]) -> Answer | None:
    """What the room's status says became of a request."""
    entry = (status.get("moves") or {}).get("request")
    if not isinstance(entry, Mapping):
        return None
    state = _STATES.get(str(entry.get("state")))
    if state is None or not isinstance(entry.get("id"), str):
        return None
    to, message = str(entry.get("to", "")), str(entry.get("message", ""))
    return Answer(entry["id"], state, to, message, unix_s(entry.get("at")) or 0.0)
