"""What an experiment hands to whoever prints, draws and writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


class Progress(Protocol):
    """Told what is measured now, and where that is known which share (0 to 1) of all is done."""

    def __call__(self, what: str, share: float | None = None) -> None: ...


Cell = str | float | int


@dataclass(frozen=True, slots=True)
class Table:
    """One of the article's, with ours beside its figures."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines of (x, y)."""

    title: str
    x: str
    y: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    log_y: bool = False
    points: bool = False
    """Dots and no lines between them."""
    x_names: Sequence[str] = ()
    """Of x = 0, 1, 2 ... where x is no number."""


@dataclass(frozen=True, slots=True)
class Result:
    """One experiment, whole."""

    name: str
    sections: str
    """Of the article, as "S2.2, S4.1"."""
    says: str
    """What the article claims."""
    holds: str
    """What is true, and why."""
    tables: Sequence[Table]
    charts: Sequence[Chart]
    data: Mapping[str, Any] = field(default_factory=dict)
    """Everything measured, for JSON."""
