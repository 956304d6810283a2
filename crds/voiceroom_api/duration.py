"""Durations as people write them: ``90s``, ``15m``, ``1h30m`` (a subset of what Go reads)."""

from __future__ import annotations

import re
from typing import Final

PATTERN: Final = r"^([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,5}s)?$"
"""The same in the CRDs."""
MAX_CHARS: Final = 18
_PARTS: Final = re.compile(PATTERN.replace("$", r"\Z"))
_SECONDS: Final = (3600, 60, 1)


def parse_duration(text: str) -> int:
    """Seconds. Raises ``ValueError`` for anything but hours, minutes and seconds in that order."""
    match = _PARTS.match(text)
    if not match or not text:
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m or 1h30m")
    parts = (int(part[:-1]) if part else 0 for part in match.groups())
    return sum(count * seconds for count, seconds in zip(parts, _SECONDS, strict=True))


def format_duration(seconds: int) -> str:
    """The shortest way to write ``seconds``; the inverse of ``parse_duration``."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "m"), (rest, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
