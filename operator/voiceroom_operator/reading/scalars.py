"""Small values that objects write as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def unix_s(text: object) -> float | None:
    """A time as Kubernetes writes it (RFC 3339); None for anything else."""
    if not isinstance(text, str):
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.timestamp() if at.tzinfo else None


def number(text: object) -> float | None:
    """A decimal that is not negative; None for anything else."""
    if not isinstance(text, str) or not text.replace(".", "", 1).isdecimal():
        return None
    return float(text)


def ports(text: object) -> tuple[int, ...]:
    """``FIRST-LAST``; empty for anything else."""
    first, _, last = text.partition("-") if isinstance(text, str) else ("", "", "")
    if not (first.isdecimal() and last.isdecimal()) or len(first) > 5 or len(last) > 5:
        return ()
    return tuple(range(int(first), int(last) + 1))


def condition(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """The condition of that type; empty when there is none."""
    found = (entry for entry in status.get("conditions") or () if entry.get("type") == kind)
    return next(found, {})
