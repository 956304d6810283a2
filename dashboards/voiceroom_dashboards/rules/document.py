"""The rules as YAML, and the pages that explain them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from voiceroom_dashboards.rules.defence import DEFENCE
from voiceroom_dashboards.rules.model import Alert, Group
from voiceroom_dashboards.rules.process import PROCESS
from voiceroom_dashboards.rules.recording import RECORDING
from voiceroom_dashboards.rules.service import OPERATOR, PIPELINE, REMEDIATION, ROOMS
from voiceroom_dashboards.rules.signs import SIGNS
from voiceroom_dashboards.rules.slo import SLO
from voiceroom_dashboards.rules.timing import TIMING_GROUP

GROUPS: Final[tuple[Group, ...]] = (
    RECORDING,
    TIMING_GROUP,
    DEFENCE,
    SIGNS,
    SLO,
    ROOMS,
    REMEDIATION,
    OPERATOR,
    PROCESS,
    PIPELINE,
)
_HEAD: Final = "# Made from dashboards/voiceroom_dashboards/rules by `make generate`.\n"
_ONE_LINE: Final = 10_000
"""Wider than any expression: one that is folded cannot be read."""
BEGIN: Final = "<!-- alert: made by `make generate` -->\n"
END: Final = "<!-- /alert -->\n"
"""Between them a runbook says what its alert is; the rest is written by hand."""
SECTIONS: Final = (
    "What people hear",
    "Check this first",
    "Decide",
    "Act",
    "When to stop and call",
    "How it ends",
)
"""Of every runbook, in this order."""
_INDEX: Final = """\
# Runbooks

A page for each alert; its `runbook_url` leads there. [alerts.md](../alerts.md) says where alerts
go, [boards.md](../boards.md) where to look beside them, and
[troubleshooting.md](../troubleshooting.md) begins with what people say. Made by `make generate`.

Commands are to be copied: put your own in place of NAMESPACE, POOL, POD, NODE and ROOM. The
operator is in the namespace `voiceroom`, as in [install.md](../install.md). What stands under
*Check this first* changes nothing. Queries are for Prometheus, or *Explore* of Grafana.

| when this fires | severity | begin here |
| --- | --- | --- |
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
    link = f"[`{alert.name}`](runbooks/{alert.name}.md)"
    told = "yes" if alert.timing else ""
    return f"| {link} | {alert.severity} | {told} | {alert.for_s} s | {_plain(alert.summary)} |\n"


def index() -> str:
    """docs/runbooks/README.md."""
    rows = (
        f"| {_plain(alert.summary)} | {alert.severity} | [{alert.name}]({alert.name}.md) |\n"
        for alert in alerts()
    )
    return _INDEX + "".join(rows)


def runbook(alert: Alert, page: str) -> str:
    """Its page with a fresh head. Raises ``ValueError`` where the marks are missing."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"docs/runbooks/{alert.name}.md: the marks of its head are missing")
    return f"{before}{begin}{_head(alert)}{end}{after}"


def _head(alert: Alert) -> str:
    told = ", and the operator is told of it" if alert.timing else ""
    lasting = f"for {alert.for_s} s" if alert.for_s else "at all"
    return (
        f"**{_plain(alert.summary)}.** {_plain(alert.description)}\n\n"
        f"Severity {alert.severity}{told}. Board: `/d/voiceroom-{alert.board}` of your Grafana "
        f"([boards.md](../boards.md)). It fires when this holds {lasting}:\n\n"
        f"```promql\n{alert.expr}\n```\n"
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
