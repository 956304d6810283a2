"""Grafana's own alert rules read what their panels show, and the operator takes what they send."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from harness import kubelines, pages
from harness.series import exposed, used
from voiceroom_api import names
from voiceroom_dashboards.boards import acting, document
from voiceroom_dashboards.boards.acting import WATCHES, Watch
from voiceroom_dashboards.boards.model import Query
from voiceroom_dashboards.rules import document as rules
from voiceroom_dashboards.rules.model import Record
from voiceroom_operator.reading.alerts import AlertSaid, read_delivery
from voiceroom_operator.running import alerts as door

FILES = {name: yaml.safe_load(text) for name, text in acting.files().items()}
(GROUP,) = FILES["rules.yaml"]["groups"]
RULES = {rule["title"]: rule for rule in GROUP["rules"]}
RECORDS = {rule.name for group in rules.GROUPS for rule in group.rules if isinstance(rule, Record)}
LABELS = {
    "namespace": "voice",
    "pod": "m-0",
    "node": "n1",
    "cause": names.STARVED,
}
"""Of a series that is too great."""

each = pytest.mark.parametrize("watch", WATCHES, ids=lambda watch: watch.name)


def delivery(watch: Watch, status: str = "firing") -> bytes:
    """As Grafana's contact point *Webhook* is known to send it; none that it sent was at hand."""
    of_series = {label: LABELS[label] for label in watch.by.split(", ")}
    rule = RULES[watch.name]
    alert = {
        "status": status,
        "labels": {"alertname": rule["title"], "grafana_folder": GROUP["folder"]}
        | rule["labels"]
        | of_series,
        "annotations": rule["annotations"],
        "startsAt": "2026-11-29T06:25:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "values": {"A": 0.05, "B": 1},
        "generatorURL": "https://grafana.example.org/alerting/grafana/x/view",
        "fingerprint": "c6eadffa33fcdf37",
        "silenceURL": "https://grafana.example.org/alerting/silence/new",
        "dashboardURL": f"https://grafana.example.org/d/{rule['dashboardUid']}",
        "panelURL": f"https://grafana.example.org/d/{rule['dashboardUid']}?viewPanel=1",
        "valueString": "[ var='A' labels={} value=0.05 ]",
    }
    body = {
        "receiver": acting.RECEIVER,
        "status": status,
        "orgId": 1,
        "alerts": [alert],
        "groupLabels": {},
        "commonLabels": alert["labels"],
        "commonAnnotations": alert["annotations"],
        "externalURL": "https://grafana.example.org/",
        "version": "1",
        "groupKey": "{}:{}",
        "truncatedAlerts": 0,
        "title": "[FIRING:1]",
        "state": "alerting",
        "message": "**Firing**",
    }
    return json.dumps(body).encode()


def said(watch: Watch, status: str = "firing") -> AlertSaid:
    """What the operator's own reader makes of it."""
    (alert,) = read_delivery(delivery(watch, status))
    return alert


@each
def test_the_operator_knows_whom_it_is_about(watch: Watch) -> None:
    about = said(watch)
    for label in watch.by.split(", "):
        assert getattr(about, label) == LABELS[label]
    assert about.pod or about.node
    assert said(watch, "resolved").key == about.key


def test_a_late_cpu_is_about_the_node_and_a_late_tick_about_the_pod() -> None:
    drift, late, verdict = map(said, WATCHES)
    assert (drift.node, drift.pod) == ("n1", "")
    assert (late.namespace, late.pod) == ("voice", "m-0")
    assert verdict.cause == names.STARVED


@each
def test_a_rule_stands_on_its_panel_and_reads_what_that_shows(watch: Watch) -> None:
    rule = RULES[watch.name]
    (board,) = (one for one in document.BOARDS if one.uid == rule["dashboardUid"])
    drawn = json.loads(document.board_json(board))["panels"]
    (panel,) = (one for one in drawn if one["id"] == rule["panelId"])
    assert panel["title"] == watch.panel
    expr = rule["data"][0]["model"]["expr"]
    shown = re.sub(r"\$\w+", ".*", panel["targets"][watch.query]["expr"])
    assert shown in expr
    assert used(expr) <= exposed() | RECORDS


def test_a_query_with_a_window_of_the_picture_is_refused() -> None:
    with pytest.raises(ValueError, match="variable"):
        acting.everything(Query("rate(voiceroom_ticks_total[$__rate_interval])"))


@each
def test_nothing_in_a_rule_is_taken_for_an_environment_variable(watch: Watch) -> None:
    rule = RULES[watch.name]
    assert rule["data"][0].pop("datasourceUid") == "$VOICEROOM_DATASOURCE"
    assert "$" not in json.dumps(rule)
    rule["data"][0]["datasourceUid"] = "$VOICEROOM_DATASOURCE"


def test_times_are_such_as_grafana_and_the_operator_take() -> None:
    assert acting.EVALUATION_S % 10 == 0
    for rule in RULES.values():
        repeat = rule["notification_settings"]["repeat_interval"]
        assert int(repeat.removesuffix("m")) * 60 < door.LASTS_S
        assert rule["notification_settings"]["receiver"] == acting.RECEIVER
        assert rule["labels"]["voiceroom_timing"] == "true"


def test_the_contact_point_shows_a_token_that_is_not_in_the_file() -> None:
    (point,) = FILES["contactpoints.yaml"]["contactPoints"]
    (receiver,) = point["receivers"]
    assert point["name"] == acting.RECEIVER
    assert receiver["settings"]["authorization_scheme"] == "Bearer"
    assert receiver["settings"]["authorization_credentials"].startswith("$")
    assert receiver["settings"]["url"].endswith(":8081/alerts")
    assert receiver["disableResolveMessage"] is False


def test_commands_on_boards_are_ours_and_move_and_pause_a_room() -> None:
    here = {"room": "lobby", "namespace": "voice", "pod": "m-0", "node": "n1", "pool": "next"}
    lines: list[list[str]] = []
    for board in document.BOARDS:
        for row in board.rows:
            lines += pages.commands(re.sub(r"\$(\w+)", lambda name: here[name[1]], row.says))
    assert [wrong for line in lines if (wrong := kubelines.wrong(line))] == []
    assert {"move", "pause", "resume", "canary"} <= {line[2] for line in lines if len(line) > 2}
