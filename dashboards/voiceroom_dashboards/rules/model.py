"""What a rule is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Severity = Literal["critical", "warning", "info", "none"]
"""critical: people are cut off, or will be. warning: look at it today. info: a fact to know of.
none: it always fires."""
TIMING: Final = "voiceroom_timing"
"""The label by which Alertmanager picks what goes to the operator (docs/alerts.md)."""
BoardName = Literal["fleet", "room", "timing", "cause", "operator", "canary"]
DOCS: Final = "https://voiceroom.dev/docs"
RUNBOOKS: Final = f"{DOCS}/runbooks"
"""A page an alert: ``docs/runbooks/ALERT.md``."""
_PODS: Final = ("namespace", "pool", "node", "pod")
NARROWED: Final[Mapping[BoardName, tuple[str, ...]]] = {
    "fleet": ("namespace", "pool"),
    "room": ("namespace",),
    "timing": _PODS,
    "cause": _PODS,
    "operator": ("namespace", "pool"),
    "canary": ("namespace", "pool"),
}
"""What a board can be narrowed to by the labels of an alert that leads to it."""


def runbook_url(alert: str) -> str:
    """Of the page that says what to do."""
    return f"{RUNBOOKS}/{alert}"


@dataclass(frozen=True, slots=True)
class Record:
    """A recording rule, named ``level:metric:operations`` as Prometheus asks."""

    name: str
    expr: str
    says: str

    def to_dict(self) -> dict[str, Any]:
        """As in a rule file."""
        return {"record": self.name, "expr": self.expr}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert. ``summary`` and ``description`` are Prometheus's templates."""

    name: str
    severity: Severity
    expr: str
    summary: str
    description: str
    board: BoardName
    """Where its figures are seen."""
    for_s: int = 0
    """It has to hold for so long."""
    keep_s: int = 0
    """It goes on firing for so long after, so that a missed scrape does not end it."""
    timing: bool = False
    """The operator is told, and acts on it within its guard rails."""
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As in a rule file."""
        times = {"for": self.for_s, "keep_firing_for": self.keep_s}
        marks = {TIMING: "true"} if self.timing else {}
        return {
            "alert": self.name,
            "expr": self.expr,
            **{name: f"{seconds}s" for name, seconds in times.items() if seconds},
            "labels": {"severity": self.severity, **marks, **self.labels},
            "annotations": {
                "summary": self.summary,
                "description": self.description,
                "runbook_url": runbook_url(self.name),
                "dashboard_url": self.dashboard_path(),
            },
        }

    def dashboard_path(self) -> str:
        """Below Grafana's address, which a rule file does not know: the board, narrowed to what
        the summary names."""
        said, narrowed = re.findall(r"\$labels\.(\w+)", self.summary), NARROWED[self.board]
        chosen = (f"var-{name}={{{{ $labels.{name} }}}}" for name in narrowed if name in said)
        asked = "&".join(chosen)
        return f"/d/voiceroom-{self.board}" + (f"?{asked}" if asked else "")


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated together, one after the other."""

    name: str
    rules: tuple[Record | Alert, ...]
    interval_s: int

    def to_dict(self) -> dict[str, Any]:
        """As in a rule file."""
        rules = [rule.to_dict() for rule in self.rules]
        return {"name": self.name, "interval": f"{self.interval_s}s", "rules": rules}
