"""Who counts what a round does."""

from __future__ import annotations

from typing import Protocol

from voiceroom_operator.round.seen import Seen


class Tally(Protocol):
    """Who counts."""

    def decided(self, action: str) -> None:
        """A decision was put on record."""

    def remedied(self, what: str, result: str) -> None:
        """A room was moved on account of drift."""

    def look_over(self, seen: Seen) -> None:
        """What there is of the namespace at the end of a round."""
