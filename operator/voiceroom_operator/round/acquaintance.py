"""A leader that begins has heard nobody: what pods run is unknown to it, not nothing.

Without a word of a pod its rooms would look empty, and be bound elsewhere under those in them;
their statuses would say Pending for a second. So the first rounds of a namespace wait for the pods
that have rooms, for a moment: one that does not answer then is silent for everybody.
"""

from __future__ import annotations

from typing import Final

from voiceroom_operator.round.seen import Seen

PATIENCE_S: Final = 2.0
"""Two looks."""


class Acquaintance:
    """Of one leader with the pods of each namespace."""

    def __init__(self) -> None:
        self._until_s: dict[str, float] = {}

    def is_made(self, seen: Seen, now_s: float) -> bool:
        """Whether plans may rest on what pods have said. ``now_s``: monotonic."""
        if not seen.bound:
            self._until_s.pop(seen.namespace, None)
            return True
        until_s = self._until_s.setdefault(seen.namespace, now_s + PATIENCE_S)
        if now_s < until_s and _strangers(seen):
            return False
        self._until_s[seen.namespace] = now_s
        return True

    def forget(self) -> None:
        """Another may have led meanwhile."""
        self._until_s.clear()


def _strangers(seen: Seen) -> bool:
    return any(name in seen.bound for name, pod in seen.pods.items() if not pod.heard)
