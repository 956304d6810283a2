"""Prometheus is asked as Grafana asks it: over a time, with what the reader chose filled in."""

from __future__ import annotations

import json
import math
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from voiceroom_dashboards.boards.model import Query

ANY = ".*"
"""What a variable is where nothing was chosen: all."""
RATE_INTERVAL_S = 60
"""Four scrapes, as Grafana takes it where a pixel is less."""
_TIMEOUT_S = 30.0


class AskingError(RuntimeError):
    """Prometheus does not answer, or refuses the query; the text has its words."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is shown. Unix seconds."""

    begin_s: float
    end_s: float
    step_s: float


@dataclass(frozen=True, slots=True)
class Line:
    """One series, and what it is called."""

    name: str
    labels: Mapping[str, str]
    at_s: tuple[float, ...]
    """Unix seconds."""
    values: tuple[float, ...]
    right: str = ""
    """Unit of the axis on the right, where it is drawn by that."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """At ``url``, for a reader who has chosen some values of variables."""

    url: str
    chosen: Mapping[str, str]

    def lines(self, query: Query, span: Span) -> list[Line]:
        """Its series over the time, by name. Raises: AskingError."""
        asked = {"start": span.begin_s, "end": span.end_s, "step": span.step_s}
        expr = placed(query.expr, self.chosen, span)
        found = self._ask("query_range", {"query": expr, **asked})
        return sorted(_lines(found, query), key=lambda line: line.name)

    def now(self, query: Query, span: Span) -> list[Line]:
        """Its series at the end, one value each. Raises: AskingError."""
        expr = placed(query.expr, self.chosen, span)
        found = self._ask("query", {"query": expr, "time": span.end_s})
        each = [one | {"values": [one["value"]]} for one in found]
        return sorted(_lines(each, query), key=lambda line: line.name)

    def _ask(self, what: str, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        url = f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
                body = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")
            raise AskingError(f"{asked['query']}: {said}") from error
        except OSError as error:
            raise AskingError(f"{self.url} does not answer: {error}") from error
        found: list[dict[str, Any]] = body["data"]["result"]
        return found


def placed(expr: str, chosen: Mapping[str, str], span: Span) -> str:
    """With values in place of variables."""
    windows = {
        "__rate_interval": f"{RATE_INTERVAL_S}s",
        "__range": f"{math.ceil(span.end_s - span.begin_s)}s",
    }
    return re.sub(r"\$(\w+)", lambda name: windows.get(name[1]) or chosen.get(name[1], ANY), expr)


def named(legend: str, labels: Mapping[str, str]) -> str:
    """``{{label}}`` replaced; without a legend all labels."""
    if not legend:
        return ", ".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return re.sub(r"\{\{(\w+)\}\}", lambda name: labels.get(name[1], ""), legend)


def _lines(found: list[dict[str, Any]], query: Query) -> Iterator[Line]:
    for one in found:
        labels = one["metric"]
        at_s = tuple(float(at) for at, _ in one["values"])
        values = tuple(float(value) for _, value in one["values"])
        yield Line(named(query.legend, labels), labels, at_s, values, query.right)
