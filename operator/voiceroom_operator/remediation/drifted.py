"""A room's latest move on account of drift, as its status has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceroom_operator.reading.scalars import unix_s
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.status.conditions import timestamp, whole_s


@dataclass(frozen=True, slots=True)
class Drifted:
    """The latest move of a room on account of drift, with people in."""

    at_s: float
    pod: str
    """The one that it left."""
    level: int = 1
    """How many in a row: the cooldown doubles with each."""

    def free_s(self, policy: Policy) -> float:
        """From when on it may be moved for that reason again."""
        return self.at_s + policy.cooldown_after(self.level)

    def to_dict(self) -> dict[str, Any]:
        """As in ``status.moves.drift``."""
        return {"at": timestamp(self.at_s), "from": self.pod, "inARow": self.level}


def drifted(status: Mapping[str, Any]) -> Drifted | None:
    """Of a VoiceRoom's status."""
    entry = (status.get("moves") or {}).get("drift")
    if not isinstance(entry, Mapping):
        return None
    at_s = unix_s(entry.get("at"))
    if at_s is None:
        return None
    level = entry.get("inARow")
    sound = level if isinstance(level, int) and not isinstance(level, bool) else 1
    return Drifted(at_s, str(entry.get("from", "")), max(sound, 1))


def next_drifted(
    last: Drifted | None, pod: str, policy: Policy, now_s: float, *, heard: bool
) -> Drifted:
    """After one more move away from ``pod``; ``heard``: people were in. Who has stayed for twice
    the longest cooldown begins anew. A cooldown is never shorter than what the pool asks for."""
    calm = last is None or now_s - last.at_s > 2.0 * policy.cooldown_max_s
    level = 0 if last is None or calm else last.level
    return Drifted(whole_s(now_s), pod, max(1, min(level + heard, 32)))
