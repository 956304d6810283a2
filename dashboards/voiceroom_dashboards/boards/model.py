"""What a board is, whatever draws it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from voiceroom_dashboards.rules.model import BoardName, runbook_url

Kind = Literal["lines", "number", "buckets", "rows", "states", "table", "facts"]
"""``buckets``: a heatmap of a histogram. ``rows``: one with a row for each series. ``states``: a
bar for each series, coloured by what its value means. ``facts``: a table of labels alone."""
Colour = Literal["green", "yellow", "orange", "red"]


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what its series are called: ``{{label}}`` is replaced."""

    expr: str
    legend: str = ""
    right: str = ""
    """Unit of an axis of its own on the right; empty = the panel's."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture."""

    title: str
    says: str
    """What it shows and how to read it: the panel's description."""
    unit: str
    """Grafana's name of it: ``s``, ``ppm``, ``percentunit``; ``short`` for plain counts."""
    queries: tuple[Query, ...]
    kind: Kind = "lines"
    width: int = 12
    """Of 24."""
    steps: tuple[tuple[float, Colour], ...] = ()
    """From this value on it is coloured so."""
    below: Colour = "green"
    """Its colour below the first step."""
    words: Mapping[int, tuple[str, Colour]] = field(default_factory=dict)
    """What single values mean."""


@dataclass(frozen=True, slots=True)
class Row:
    """Panels that answer one question."""

    title: str
    says: str
    panels: tuple[Panel, ...]
    alerts: tuple[str, ...] = ()
    """Those that fire by what the row shows: it leads to their runbooks."""

    def head(self) -> str:
        """Markdown that stands above the panels."""
        links = ", ".join(f"[{name}]({runbook_url(name)})" for name in self.alerts)
        return f"{self.says}\n\nRunbooks: {links}" if links else self.says


@dataclass(frozen=True, slots=True)
class Variable:
    """What a board can be narrowed to: the values of a label that there are."""

    name: str
    query: str
    """``label_values(...)``."""
    says: str
    one: bool = False
    """One value only; otherwise several, or all."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Moments at which something happened, as lines across all pictures: an annotation."""

    name: str
    expr: str
    """It has a series for as long as the mark is wide."""
    title: str
    """``{{label}}`` is replaced."""
    colour: Colour


@dataclass(frozen=True, slots=True)
class Board:
    """One board. Its ``uid`` never changes: links and bookmarks hold on to it."""

    name: BoardName
    title: str
    says: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    marks: tuple[Mark, ...] = ()

    @property
    def uid(self) -> str:
        """Grafana's key of it."""
        return f"voiceroom-{self.name}"

    def panels(self) -> Iterator[Panel]:
        """Those of all rows."""
        for row in self.rows:
            yield from row.panels

    def queries(self) -> Iterator[tuple[str, Query]]:
        """All that Prometheus is asked, with what it is asked for."""
        for panel in self.panels():
            for query in panel.queries:
                yield panel.title, query
        for mark in self.marks:
            yield f"mark {mark.name}", Query(mark.expr, mark.title)

    def number(self, title: str) -> int:
        """Of the first panel of that title; each row has its own number, and so has its head."""
        number = 0
        for row in self.rows:
            number += 2
            for panel in row.panels:
                number += 1
                if panel.title == title:
                    return number
        raise KeyError(title)
