"""The rules as YAML, and the pages that explain them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from voiceroom_dashboards.rules.defence import DEFENCE
from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.recording import RECORDING
from voiceroom_dashboards.rules.service import OPERATOR, PIPELINE, REMEDIATION, ROOMS
from voiceroom_dashboards.rules.slo import SLO
from voiceroom_dashboards.rules.timing import TIMING_GROUP

GROUPS: Final[tuple[Group, ...]] = (
    RECORDING,
    TIMING_GROUP,
    DEFENCE,
    SLO,
    ROOMS,
    REMEDIATION,
    OPERATOR,
    PIPELINE,
)
_HEAD: Final = "# Made from dashboards/voiceroom_dashboards/rules by `make generate`.\n"
_ONE_LINE: Final = 10_000
"""Wider than any expression: one that is folded cannot be read."""
_PAGE: Final = """\
# Runbooks

Generated from `dashboards/voiceroom_dashboards/rules` by `make generate`; a section for each alert.
[alerts.md](alerts.md) says where they go.
"""


def alerts() -> Iterator[Alert]:
    """All of them, in their order."""
    for group in GROUPS:
        yield from (rule for rule in group.rules if isinstance(rule, Alert))


def rules_yaml() -> str:
    """A rule file for Prometheus; also the ``spec`` of a PrometheusRule."""
    whole = {"groups": [group.to_dict() for group in GROUPS]}
    return _HEAD + yaml.safe_dump(whole, sort_keys=False, width=_ONE_LINE, allow_unicode=True)


def table() -> str:
    """For docs/alerts.md: a row for each alert."""
    head = "| alert | severity | to the operator | holds for | what |\n"
    return head + "| --- | --- | --- | --- | --- |\n" + "".join(_row(alert) for alert in alerts())


def _row(alert: Alert) -> str:
    anchor = f"[`{alert.name}`](runbooks.md#{alert.name.lower()})"
    told = "yes" if alert.timing else ""
    return f"| {anchor} | {alert.severity} | {told} | {alert.for_s} s | {_plain(alert.summary)} |\n"


def runbooks_page() -> str:
    """docs/runbooks.md."""
    return _PAGE + "".join(_section(alert) for alert in alerts())


def _section(alert: Alert) -> str:
    told = "; the operator is told as well" if alert.timing else ""
    return (
        f"\n## {alert.name}\n\n{_plain(alert.summary)}. {_plain(alert.description)}\n\n"
        f"{alert.cure}\n\nSeverity {alert.severity}{told}. Fires when this holds for "
        f"{alert.for_s} s:\n\n```\n{alert.expr}\n```\n"
    )


def _plain(template: str) -> str:
    """A template for people: ``{{ $labels.pod }}`` becomes POD, ``{{ $value ... }}`` N."""
    words = template.split("{{ ")
    read = [words[0]]
    for word in words[1:]:
        inside, _, after = word.partition(" }}")
        name = inside.partition(" ")[0]
        read.append(("N" if name == "$value" else name.rpartition(".")[2].upper()) + after)
    return "".join(read)
