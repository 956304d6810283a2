"""What a mixer has taken away to keep time, and its timing breaker, for ``diagnose``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

LEVELS: Final = (
    "nothing is taken away",
    "chores wait and Opus is cheaper; nobody hears it",
    "the loudest three are mixed, at one volume for everybody",
    "sound comes 60 ms later, and packets that are lost are heard (no FEC)",
    "only the loudest person is heard",
    "nobody can join, and only the loudest person is heard; the rooms are to be moved",
)
"""In an operator's words, by level of the ladder."""
BREAKER: Final[Mapping[str, str]] = {
    "closed": "ticks come in time",
    "half-open": "ticks come in time again, and are watched for 5 s",
    "open": "ticks were missed, or a clock jumped, a moment ago",
}


@dataclass(frozen=True, slots=True)
class Pressure:
    """As the pod says it."""

    level: int | None = None
    """0 to 5; None = not known."""
    breaker: str = ""
    """Of ``BREAKER``; empty = not known."""


def read(said: Mapping[str, Any]) -> Pressure:
    """From a pod's ``GET /admin/v1/status``; what cannot be read counts as not known."""
    level, breaker = said.get("level"), said.get("breaker")
    known = isinstance(level, int) and not isinstance(level, bool) and 0 <= level < len(LEVELS)
    return Pressure(
        level if known else None,
        breaker if isinstance(breaker, str) and breaker in BREAKER else "",
    )


def lines(pressure: Pressure) -> Iterator[str]:
    """In plain words; none of what is not known."""
    if pressure.level is not None:
        level, worst = pressure.level, len(LEVELS) - 1
        yield f"  Ladder: level {level} of {worst}, {LEVELS[level]}."
    if pressure.breaker:
        yield f"  Breaker: {pressure.breaker}, {BREAKER[pressure.breaker]}."
