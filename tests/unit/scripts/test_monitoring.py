"""Settings of the monitoring beside a local cluster: those of the docs and of the chart."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from charts.values import CHART
from localcluster import monitoring
from localcluster.failure import ClusterError
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


def test_a_page_without_settings_is_told(tmp_path: Path) -> None:
    page = tmp_path / "alerts.md"
    page.write_text("# Alerts\n")
    with pytest.raises(ClusterError, match=r"alerts\.md has no settings"):
        monitoring.alertmanager_settings(HERE, Path("/run/token"), page)


def test_prometheus_scrapes_as_the_chart_lets_it() -> None:
    settings = monitoring.prometheus_settings(Path("/run/kubeconfig"), "http://10.0.0.1:9093")
    assert settings["global"]["scrape_interval"] == f"{SCRAPE_S}s"
    assert settings["global"]["evaluation_interval"] == f"{EVALUATION_S}s"
    mixers, operator = settings["scrape_configs"]
    labels = {rule["target_label"] for rule in mixers["relabel_configs"] if "target_label" in rule}
    assert labels == set(POD.split(", "))
    template = (CHART / "templates" / "monitors.yaml").read_text()
    assert ("honorLabels: true" in template) == operator["honor_labels"]
    (targets,) = settings["alerting"]["alertmanagers"][0]["static_configs"]
    assert targets == {"targets": ["10.0.0.1:9093"]}


def test_the_rules_are_those_that_are_shipped() -> None:
    chart = CHART / "files" / monitoring.RULES.name
    assert yaml.safe_load(chart.read_text()) == yaml.safe_load(monitoring.RULES.read_text())
