"""Boards act: alert rules of Grafana on their drift panels, as files that Grafana provisions.

They go to the operator's ``/alerts``, whose guard rails decide. For who has no Prometheus rules, or
wants what a panel shows to be what fires: a rule reads its panel's own query. ``$`` is the sign of
an environment variable in these files, so that templates are written without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from voiceroom_dashboards.boards.cause import CAUSE
from voiceroom_dashboards.boards.model import Board, Query
from voiceroom_dashboards.boards.timing import TIMING
from voiceroom_dashboards.rules.model import TIMING as TIMING_LABEL
from voiceroom_dashboards.rules.model import runbook_url
from voiceroom_dashboards.rules.timing import BAD_ANYHOW_MS

RECEIVER: Final = "voiceroom-operator"
EVALUATION_S: Final = 20
"""Grafana takes whole tens only."""
_FOR_S: Final = 20
_REPEAT: Final = "5m"
"""A firing alert counts for ten minutes with the operator."""
_SOURCE: Final = "$VOICEROOM_DATASOURCE"
_URL: Final = "http://voiceroom-operator.voiceroom.svc:8081/alerts"
_HEAD: Final = """\
# Made from dashboards/voiceroom_dashboards/boards/acting.py by `make generate`. docs/boards.md says
# which environment variables Grafana has to have. Not run in Grafana yet.
"""
_ONE_LINE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Watch:
    """A panel whose figure is not to rise above ``above`` in any series of labels ``by``."""

    name: str
    board: Board
    panel: str
    by: str
    above: float
    runbook: str
    summary: str
    query: int = 0
    """Which of the panel's."""

    def expr(self) -> str:
        """The panel's query with everything chosen."""
        (panel,) = (one for one in self.board.panels() if one.title == self.panel)
        return f"max by ({self.by}) ({everything(panel.queries[self.query])})"


def everything(query: Query) -> str:
    """With all values of all variables, which match series without that label as well."""
    expr = re.sub(r"\$(?:namespace|pool|node|pod)\b", ".*", query.expr)
    if "$" in expr:
        raise ValueError(f"{query.expr}: a rule cannot have this variable")
    return expr


_LATE_S: Final = BAD_ANYHOW_MS / 1000
WATCHES: Final = (
    Watch(
        "VoiceroomBoardCpuDrift",
        TIMING,
        "Drift, trend",
        "node",
        _LATE_S,
        "VoiceroomStarved",
        "Timers of node {{ .Labels.node }} are late, with no work of ours in them",
    ),
    Watch(
        "VoiceroomBoardTicksLate",
        TIMING,
        "Lateness",
        "namespace, pod",
        _LATE_S,
        "VoiceroomTicksLate",
        "Ticks of {{ .Labels.namespace }}/{{ .Labels.pod }} are late at p99",
        query=1,
    ),
    Watch(
        "VoiceroomBoardVerdict",
        CAUSE,
        "Verdicts now",
        "namespace, pod, node, cause",
        0,
        "VoiceroomTicksLate",
        "{{ .Labels.namespace }}/{{ .Labels.pod }} says {{ .Labels.cause }}",
    ),
)


def files() -> dict[str, str]:
    """Name and text of each file for Grafana's folder ``provisioning/alerting``."""
    rules = {
        "orgId": 1,
        "name": "voiceroom-drift",
        "folder": "Voiceroom",
        "interval": f"{EVALUATION_S}s",
        "rules": [_rule(watch) for watch in WATCHES],
    }
    point = {"orgId": 1, "name": RECEIVER, "receivers": [_receiver()]}
    return {
        "rules.yaml": _text({"apiVersion": 1, "groups": [rules]}),
        "contactpoints.yaml": _text({"apiVersion": 1, "contactPoints": [point]}),
    }


def _text(body: dict[str, Any]) -> str:
    return _HEAD + yaml.safe_dump(body, sort_keys=False, width=_ONE_LINE)


def _receiver() -> dict[str, Any]:
    return {
        "uid": RECEIVER,
        "type": "webhook",
        "settings": {
            "url": _URL,
            "httpMethod": "POST",
            "authorization_scheme": "Bearer",
            "authorization_credentials": "$VOICEROOM_ALERTS_TOKEN",
        },
        "disableResolveMessage": False,
    }


def _rule(watch: Watch) -> dict[str, Any]:
    return {
        "uid": re.sub(r"(?<!^)(?=[A-Z])", "-", watch.name).lower(),
        "title": watch.name,
        "condition": "B",
        "data": list(_data(watch)),
        "dashboardUid": watch.board.uid,
        "panelId": watch.board.number(watch.panel),
        "noDataState": "OK",
        "execErrState": "Error",
        "for": f"{_FOR_S}s",
        "annotations": {"summary": watch.summary, "runbook_url": runbook_url(watch.runbook)},
        "labels": {TIMING_LABEL: "true", "severity": "warning"},
        "isPaused": False,
        "notification_settings": {
            "receiver": RECEIVER,
            "group_wait": "1s",
            "group_interval": "15s",
            "repeat_interval": _REPEAT,
        },
    }


def _data(watch: Watch) -> Iterator[dict[str, Any]]:
    """The query, and what its newest value is held against."""
    query = {"refId": "A", "expr": watch.expr(), "instant": True, "range": False}
    evaluator = {"type": "gt", "params": [watch.above]}
    threshold = {"refId": "B", "type": "threshold", "expression": "A"}
    yield _node("A", _SOURCE, query)
    yield _node("B", "__expr__", threshold | {"conditions": [{"evaluator": evaluator}]})


def _node(ref_id: str, source: str, model: dict[str, Any]) -> dict[str, Any]:
    return {
        "refId": ref_id,
        "relativeTimeRange": {"from": 300, "to": 0},
        "datasourceUid": source,
        "model": model,
    }
