"""A pod's answer to an assignment or a directory, as a value that says what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Accepted:
    """The pod has it."""


@dataclass(frozen=True, slots=True)
class ResendWhole:
    """The pod misses something that went before (409 ``gap``)."""


@dataclass(frozen=True, slots=True)
class StopLeading:
    """The pod has heard of a later leader (409 ``stale_term``): this one stops at once."""

    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The pod does not take the document: a fault of ours, not to be sent again unchanged."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class TryAgain:
    """The pod cannot answer now."""

    status: int


Answer = Accepted | ResendWhole | StopLeading | Refused | TryAgain


def read_answer(status: int, body: Mapping[str, Any]) -> Answer:
    """``body``: the JSON ``{"error", "message"}`` of the answer, empty when there was none."""
    code, message = body.get("error"), str(body.get("message", ""))
    if 200 <= status < 300:
        return Accepted()
    if status == 409 and code == "gap":
        return ResendWhole()
    if status == 409 and code == "stale_term":
        return StopLeading(message)
    if status == 429 or status >= 500:
        return TryAgain(status)
    return Refused(status, message)
