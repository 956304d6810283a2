"""Rules read only what is exposed, and say all that an alert has to say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.series import DECLARED, TARGET, exposed, selectors, used
from harness.servicecases import ALWAYS, CASES
from voiceroom_api import metrics, names
from voiceroom_api.thresholds import LOST_SHARE, PROFILES, STEADY_MS
from voiceroom_dashboards.rules import defence, document, recording
from voiceroom_dashboards.rules.model import Alert, Record
from voiceroom_dashboards.rules.promql import SCRAPE_S
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.defend.measures import LEVELS
from voiceroom_operator.reading.alerts import read_delivery

ROOT = Path(__file__).parents[3]
RULES = [rule for group in document.GROUPS for rule in group.rules]
ALERTS = list(document.alerts())
RECORDS = {rule.name for rule in RULES if isinstance(rule, Record)}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_only_what_is_exposed_is_read(rule: Record | Alert) -> None:
    assert used(rule.expr) <= exposed() | RECORDS | {"up"}
    assert used(rule.expr) or rule.name == ALWAYS


def test_a_name_that_is_not_exposed_would_be_found() -> None:
    assert used('rate(voiceroom_tick_total{a="voiceroom_x"}[1m])') == {"voiceroom_tick_total"}
    assert "voiceroom_tick_total" not in exposed()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_selectors_name_labels_and_values_that_there_are(rule: Record | Alert) -> None:
    for name, label, wanted in selectors(rule.expr):
        metric = DECLARED[name.removesuffix("_bucket")]
        assert label in {*metric.labels, *TARGET}, name
        known = metric.values.get(label, ())
        for value in wanted.split("|") if known else ():
            assert value in known, f"{name}: {label}={value}"


def test_sums_keep_labels_that_there_are() -> None:
    known = TARGET | {"le"} | {label for metric in DECLARED.values() for label in metric.labels}
    for rule in RULES:
        for listed in re.findall(r"\b(?:by|on) \(([^)]*)\)", rule.expr):
            assert set(listed.split(", ")) <= known, rule.name


def test_names_are_unique_and_of_one_kind() -> None:
    assert len({alert.name for alert in ALERTS}) == len(ALERTS)
    assert all(re.fullmatch(r"Voiceroom([A-Z][a-z]+)+", alert.name) for alert in ALERTS)
    assert all(re.fullmatch(r"voiceroom(_pool)?:[a-z_]+:\w+", name) for name in RECORDS)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_each_says_what_people_need(alert: Alert) -> None:
    made = alert.to_dict()
    assert made["labels"]["severity"] in {"critical", "warning", "info", "none"}
    assert set(made["annotations"]) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert not made["annotations"]["summary"].endswith(".")
    assert alert.description.endswith(".")
    for template in (alert.summary, alert.description):
        assert template.count("{{") == template.count("}}")


def test_the_operator_is_told_of_a_pod_or_a_node_and_nobody_else_is_marked() -> None:
    for alert in ALERTS:
        marks = alert.to_dict()["labels"].get("voiceroom_timing")
        assert marks == ("true" if alert.timing else None)
    told = [case for case in CASES if case.alert in {a.name for a in ALERTS if a.timing}]
    for case in told:
        labels = dict(re.findall(r'(\w+)="([^"]*)"', case.labels))
        entry = {"status": "firing", "labels": labels, "startsAt": "2026-01-01T00:00:00Z"}
        (said,) = read_delivery(_delivery(entry))
        assert said.node == "node-1"
        assert bool(said.pod) == (case.alert != "VoiceroomNodeClockBad")
        assert bool(said.cause) == ("cause" in labels), "a cause that the operator does not know"


def _delivery(entry: Mapping[str, object]) -> bytes:
    return json.dumps({"version": "4", "alerts": [entry]}).encode()


def test_every_verdict_has_its_alert() -> None:
    asked = {
        value
        for alert in ALERTS
        if alert.timing
        for _, label, wanted in selectors(alert.expr)
        if label == "cause"
        for value in wanted.split("|")
    }
    assert asked == set(names.VERDICTS)


def test_every_alert_has_cases() -> None:
    assert {case.alert for case in CASES} | {ALWAYS} == {alert.name for alert in ALERTS}
    assert {case.alert for case in CASES if case.near} | {ALWAYS} == {a.name for a in ALERTS}


def test_thresholds_are_those_of_the_own_look() -> None:
    text = {alert.name: alert.expr for alert in ALERTS}
    assert (
        f"> on (namespace, pool) group_left () {recording.LIMIT} or" in text["VoiceroomTicksLate"]
    )
    most_ms = max(of.bad_ms for of in PROFILES.values())
    assert f"> {most_ms / 1000:g} or" in text["VoiceroomTicksLate"]
    assert f"> {STEADY_MS / 1000:g})" in text["VoiceroomTicksLate"]
    assert f">= {LOST_SHARE:g})" in text["VoiceroomTicksLost"]


def test_the_levels_are_those_of_the_ladder() -> None:
    heard = next(at for at, level in enumerate(LEVELS) if level.max_talkers is not None)
    one_voice = next(at for at, level in enumerate(LEVELS) if level.passthrough)
    assert (heard, one_voice) == (defence.HEARD, defence.ONE_VOICE)
    assert (defence.BREAKER_OPEN, Breaker.HALF_OPEN) == (Breaker.OPEN, 1)


def test_the_thresholds_are_edges_of_the_histogram() -> None:
    """Between two edges a quantile is a guess."""
    edges = metrics.BY_NAME["voiceroom_tick_lateness_seconds"].buckets
    assert {STEADY_MS / 1000, *(of.bad_ms / 1000 for of in PROFILES.values())} <= set(edges)


def test_the_scrapes_are_those_of_the_chart() -> None:
    values = (ROOT / "charts" / "voiceroom" / "values.yaml").read_text()
    monitor = values.partition("\npodMonitor:")[2].partition("\nserviceMonitor:")[0]
    assert f"interval: {SCRAPE_S}s" in monitor
