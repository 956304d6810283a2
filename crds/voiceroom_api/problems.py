"""What is wrong with a document, said so that its writer can mend it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_SHOWN_CHARS = 60


class Problem(NamedTuple):
    """One thing that is wrong: the path of the field, and what is allowed."""

    path: str
    message: str


class InvalidDocument(ValueError):
    """A document is refused; ``str()`` has a line for each problem."""

    def __init__(self, source: str, problems: Iterable[Problem]) -> None:
        self.source = source
        self.problems = list(problems)
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterable[str]:
        for path, message in self.problems:
            yield f"{self.source}: {path}: {message}" if path else f"{self.source}: {message}"


def shown(value: object) -> str:
    """``value`` as its writer knows it, in one short line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
