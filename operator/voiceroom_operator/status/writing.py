"""Whether a status is worth a write: what people wait for at once, the rest now and then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names

SLOW_S: Final = 10.0
"""Least seconds between two writes for the sake of slow fields alone."""


@dataclass(frozen=True, slots=True)
class Write:
    """What to do with a status."""

    due: bool
    later_s: float | None = None
    """Not due now; look again after so many seconds. None = there is nothing to write."""
    priority: int = 0
    """Least first: whether people can join, what else is not slow, the rest."""


def worth_writing(
    written: Mapping[str, Any],
    wanted: Mapping[str, Any],
    slow: frozenset[str],
    last_s: float,
    now_s: float,
) -> Write:
    """``slow``: fields that may wait. ``last_s``: when the status was written last (Unix time)."""
    different = {
        key for key in written.keys() | wanted.keys() if written.get(key) != wanted.get(key)
    }
    if not different:
        return Write(False)
    left_s = last_s + SLOW_S - now_s
    if different <= slow and left_s > 0:
        return Write(False, left_s)
    return Write(True, priority=_priority(written, wanted, slow=different <= slow))


def _priority(written: Mapping[str, Any], wanted: Mapping[str, Any], *, slow: bool) -> int:
    if _is_ready(written) != _is_ready(wanted):
        return 0
    return 2 if slow else 1


def _is_ready(status: Mapping[str, Any]) -> bool:
    conditions = status.get("conditions", ())
    return any(each["type"] == names.READY and each["status"] == "True" for each in conditions)
