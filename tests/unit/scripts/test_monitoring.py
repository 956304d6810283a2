"""Settings of the monitoring beside a local cluster: those of the docs and of the chart."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from charts.values import CHART
from localcluster import monitoring
from localcluster.failure import ClusterError
from voiceroom_dashboards.rules import document as rules
from voiceroom_dashboards.rules.model import TIMING
from voiceroom_dashboards.rules.promql import EVALUATION_S, POD, SCRAPE_S

HERE = "http://10.96.0.7:8081/alerts"


def test_alertmanager_does_what_the_docs_say() -> None:
    settings = monitoring.alertmanager_settings(HERE, Path("/run/token"))
    ours, people = settings["receivers"]
    (hook,) = ours["webhook_configs"]
    assert (hook["url"], hook["send_resolved"]) == (HERE, True)
    assert hook["http_config"]["authorization"]["credentials_file"] == "/run/token"
    (route,) = settings["route"]["routes"]
    assert route["receiver"] == ours["name"]
    assert route["matchers"] == [f'{TIMING}="true"']
    assert settings["route"]["receiver"] == people["name"]


def test_inhibition_hides_consequences_of_the_same_pod_and_nothing_from_the_operator() -> None:
    settings = monitoring.alertmanager_settings(HERE, Path("/run/token"))
    alerts = {alert.name: alert for alert in rules.alerts()}
    for rule in settings["inhibit_rules"]:
        (source,), (target,) = rule["source_matchers"], rule["target_matchers"]
        named = {side: re.findall(r"Voiceroom\w+", side) for side in (source, target)}
        assert all(name in alerts for names in named.values() for name in names)
        assert not [name for name in named[target] if alerts[name].timing]
        for name in (*named[source], *named[target]):
            said = set(re.findall(r"\$labels\.(\w+)", alerts[name].summary))
            assert set(rule["equal"]) <= said, name


def test_the_config_for_the_prometheus_operator_says_the_same() -> None:
    settings = monitoring.alertmanager_settings(HERE, Path("/run/token"))
    found = re.findall(r"^```yaml\n(.*?)^```$", monitoring.PAGE.read_text(), re.M | re.S)
    (config,) = (made for made in map(yaml.safe_load, found) if "kind" in made)
    (route,), spec = settings["route"]["routes"], config["spec"]["route"]
    (matcher,) = spec["matchers"]
    assert route["matchers"] == [f'{matcher["name"]}="{matcher["value"]}"']
    assert (spec["groupBy"], spec["continue"]) == (route["group_by"], route["continue"])
    for word in ("wait", "interval"):
        assert spec[f"group{word.capitalize()}"] == route[f"group_{word}"]
    (hook,) = config["spec"]["receivers"][0]["webhookConfigs"]
    credentials = hook["httpConfig"]["authorization"]["credentials"]
    assert credentials == {"name": monitoring.SECRET, "key": "token"}
    assert hook["url"].endswith(":8081/alerts")


def test_a_page_without_settings_is_told(tmp_path: Path) -> None:
    page = tmp_path / "alerts.md"
    page.write_text("# Alerts\n")
    with pytest.raises(ClusterError, match=r"alerts\.md has no settings with receivers"):
        monitoring.alertmanager_settings(HERE, Path("/run/token"), page)


def test_prometheus_scrapes_as_the_chart_lets_it() -> None:
    settings = monitoring.prometheus_settings(Path("/run/kubeconfig"), "http://10.0.0.1:9093")
    assert settings["global"]["scrape_interval"] == f"{SCRAPE_S}s"
    assert settings["global"]["evaluation_interval"] == f"{EVALUATION_S}s"
    mixers, operator, _ = settings["scrape_configs"]
    labels = {rule["target_label"] for rule in mixers["relabel_configs"] if "target_label" in rule}
    assert labels == set(POD.split(", "))
    template = (CHART / "templates" / "monitors.yaml").read_text()
    assert ("honorLabels: true" in template) == operator["honor_labels"]
    (targets,) = settings["alerting"]["alertmanagers"][0]["static_configs"]
    assert targets == {"targets": ["10.0.0.1:9093"]}


def test_the_rules_are_those_that_are_shipped() -> None:
    chart = CHART / "files" / monitoring.RULES.name
    assert yaml.safe_load(chart.read_text()) == yaml.safe_load(monitoring.RULES.read_text())


def test_the_clock_probe_of_every_node_is_scraped_as_the_docs_say() -> None:
    (job,) = monitoring.probe_job(Path("/run/kubeconfig"))
    assert job["job_name"] == "node-timer-drift"
    assert job["honor_labels"] is True
    (finder,) = job["kubernetes_sd_configs"]
    assert finder == {"role": "pod", "kubeconfig_file": "/run/kubeconfig"}
    assert {rule.get("target_label") for rule in job["relabel_configs"]} == {None, "node"}
