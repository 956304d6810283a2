"""A move that a person asks for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

State = Literal["Waiting", "Moving", "Done", "Refused", "Failed"]


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks for; carried out once for each ``id``."""

    id: str
    to: str = ""
    """The node; empty = any other pod."""
    why: str = ""
    problem: str = ""
    """What is wrong with it; empty = nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    id: str
    state: State
    to: str = ""
    """The pod that the room goes to."""
    message: str = ""
    at_s: float = 0.0
    """Since when, Unix time; 0 = not written yet."""

    def to_dict(self, at: str) -> dict[str, Any]:
        """As in ``status.moves.request``."""
        fields = {"id": self.id, "state": self.state, "at": at}
        words = {"to": self.to, "message": self.message[:1024]}
        return fields | {key: word for key, word in words.items() if word}

    def says_as(self, other: Answer | None) -> bool:
        """The same, whenever it was written."""
        return other is not None and replace(other, at_s=self.at_s) == self


def is_open(request: Request | None, answer: Answer | None) -> bool:
    """Whether the request still is to be carried out."""
    if request is None:
        return False
    return answer is None or answer.id != request.id or answer.state == "Waiting"


def settled(answer: Answer | None, pod: str, *, moving: bool) -> Answer | None:
    """The answer once a move that was begun has ended; ``pod`` has the room now."""
    if answer is None or answer.state != "Moving" or moving:
        return answer
    if pod == answer.to:
        return Answer(answer.id, "Done", answer.to)
    return Answer(answer.id, "Failed", answer.to, f"the room is in pod {pod or 'none'}")
