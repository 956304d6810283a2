"""Tables, JSON and YAML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import yaml

_GAP: Final = 3
_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "m"))
NONE: Final = "-"


@dataclass(frozen=True)
class Terminal:
    """Where answers and remarks go."""

    out: TextIO
    err: TextIO

    def say(self, text: str) -> None:
        """One line of the answer."""
        self.out.write(f"{text}\n")
        self.out.flush()

    def remark(self, text: str) -> None:
        """One line that is not part of the answer."""
        self.err.write(f"{text}\n")
        self.err.flush()

    def show(self, value: Any, form: str) -> None:
        """``json`` or ``yaml``."""
        if form == "json":
            self.say(json.dumps(value, indent=2, ensure_ascii=False))
        else:
            self.out.write(yaml.safe_dump(value, sort_keys=False, allow_unicode=True))

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
        """As kubectl has them; ``empty`` is remarked when there is no row."""
        if not rows:
            self.remark(empty)
            return
        lines = [heads, *rows]
        widths = [max(len(line[i]) for line in lines) + _GAP for i in range(len(heads))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            self.say("".join(cells).rstrip())


def listed(items: list[Any]) -> dict[str, Any]:
    """As ``kubectl get -o json`` has several objects."""
    return {"apiVersion": "v1", "kind": "List", "items": items}


def shown(value: object, digits: int | None = None) -> str:
    """A cell; ``-`` for what is not known."""
    if value is None or value == "":
        return NONE
    return f"{value:.{digits}f}" if digits is not None else str(value)


def parse_time(text: str | None) -> float | None:
    """Unix seconds of an RFC 3339 time."""
    if not text:
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def span(seconds: float) -> str:
    """``3m``: the greatest unit that fits, as kubectl has ages."""
    for length, unit in _UNITS:
        if seconds >= 2 * length:
            return f"{int(seconds // length)}{unit}"
    return f"{max(0, int(seconds))}s"


def age(timestamp: str | None, now_s: float) -> str:
    """How long ago that was."""
    then = parse_time(timestamp)
    return NONE if then is None else span(now_s - then)
