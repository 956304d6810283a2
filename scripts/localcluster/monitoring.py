"""A real Prometheus and Alertmanager beside a cluster, with the rules that voiceroom ships.

They run as processes of this machine in the network of the first node, so that Services lead them
on as they do pods, and outside of its pods' cgroup, so that a node that a test stalls is still
watched.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from localcluster import build, network, paths
from localcluster.cluster import Cluster
from localcluster.controlplane import ADMIN, user_file
from localcluster.failure import ClusterError
from localcluster.voiceroom import NAMESPACE

PROMETHEUS, ALERTMANAGER = "prometheus", "alertmanager"
PROGRAMS = (PROMETHEUS, ALERTMANAGER)
PORTS = {PROMETHEUS: 9090, ALERTMANAGER: 9093}
RULES = paths.REPOSITORY / "dashboards" / "voiceroom.rules.yaml"
PAGE = paths.REPOSITORY / "docs" / "alerts.md"
PROBE_PAGE = paths.REPOSITORY / "docs" / "clock-probe.md"
SERVICE = "voiceroom-operator"
SECRET = "voiceroom-operator-alerts"
INTERVAL = "15s"
READY_WAIT_S = 30.0
PEOPLE = "people"
Settings = dict[str, Any]


@dataclass(frozen=True)
class Monitoring:
    """The two of them, at work."""

    cluster: Cluster

    def url(self, name: str) -> str:
        """Of Prometheus or Alertmanager, as this machine reaches it."""
        return f"http://{self.cluster.layout.nodes[0].address}:{PORTS[name]}"

    def query(self, expr: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series, now."""
        question = urllib.parse.urlencode({"query": expr})
        answer = _get(f"{self.url(PROMETHEUS)}/api/v1/query?{question}")
        found = json.loads(answer)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in found]

    def firing(self, namespace: str) -> set[tuple[str, str]]:
        """Alert and pod of what the operator is told about a namespace."""
        marks = 'alertstate="firing",voiceroom_timing="true"'
        selector = f'ALERTS{{{marks},namespace="{namespace}"}}'
        return {(at["alertname"], at.get("pod", "")) for at, _ in self.query(selector)}


@contextlib.contextmanager
def watched(cluster: Cluster) -> Iterator[Monitoring]:
    """For the time of the block. The operator has to be installed. Raises: ClusterError."""
    build.ensure(PROGRAMS)
    folder = cluster.layout.folder / "monitoring"
    folder.mkdir(mode=0o700)
    try:
        _start(cluster, folder)
        yield Monitoring(cluster)
    finally:
        cluster.processes.stop(*PROGRAMS)
        shutil.rmtree(folder)


def _start(cluster: Cluster, folder: Path) -> None:
    found = Monitoring(cluster)
    kubeconfig = user_file(cluster.layout.folder, ADMIN)
    _write(folder / "prometheus.yml", prometheus_settings(kubeconfig, found.url(ALERTMANAGER)))
    token = folder / "token"
    token.write_text(_token(cluster))
    _write(folder / "alertmanager.yml", alertmanager_settings(_receiver(cluster), token))
    inside = network.enter(cluster.layout.nodes[0])
    for name in (ALERTMANAGER, PROMETHEUS):
        cluster.start(name, [*inside, *_command(name, folder, found.url(name))])
        _wait_ready(cluster, name, f"{found.url(name)}/-/ready")


def _command(name: str, folder: Path, url: str) -> list[str]:
    storage = {PROMETHEUS: "storage.tsdb.path", ALERTMANAGER: "storage.path"}[name]
    # One Alertmanager has nobody to gossip with.
    alone = ["--cluster.listen-address="] if name == ALERTMANAGER else []
    return [
        str(build.program(name)),
        f"--config.file={folder / f'{name}.yml'}",
        f"--{storage}={folder / name}",
        f"--web.listen-address={url.partition('//')[2]}",
        *alone,
    ]


def _write(path: Path, settings: Settings) -> None:
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


# Prometheus


def prometheus_settings(kubeconfig: Path, alertmanager: str) -> Settings:
    """Scrapes as the chart's PodMonitor and ServiceMonitor have them."""
    return {
        "global": {"scrape_interval": INTERVAL, "evaluation_interval": INTERVAL},
        "rule_files": [str(RULES)],
        "alerting": {
            "alertmanagers": [{"static_configs": [{"targets": [alertmanager.partition("//")[2]]}]}]
        },
        "scrape_configs": [
            _scrape("mixer", "metrics", kubeconfig),
            _scrape("operator", "http", kubeconfig) | {"honor_labels": True},
            *probe_job(kubeconfig),
        ],
    }


def probe_job(kubeconfig: Path, page: Path = PROBE_PAGE) -> list[Settings]:
    """What docs/clock-probe.md tells people to write for the clock probe of every node."""
    jobs: list[Settings] = _block(page, "scrape_configs")["scrape_configs"]
    for finder in (one for job in jobs for one in job["kubernetes_sd_configs"]):
        finder["kubeconfig_file"] = str(kubeconfig)
    return jobs


def _scrape(component: str, port: str, kubeconfig: Path) -> Settings:
    pod = "__meta_kubernetes_pod_"
    kept = {
        f"{pod}label_app_kubernetes_io_name": "voiceroom",
        f"{pod}label_app_kubernetes_io_component": component,
        f"{pod}container_port_name": port,
    }
    labels = {
        "namespace": "__meta_kubernetes_namespace",
        "pod": f"{pod}name",
        "node": f"{pod}node_name",
        "pool": f"{pod}label_voiceroom_dev_pool",
    }
    gone = {"source_labels": [f"{pod}phase"], "regex": "Failed|Succeeded", "action": "drop"}
    return {
        "job_name": component,
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(kubeconfig)}],
        "relabel_configs": [
            *({"source_labels": [at], "regex": of, "action": "keep"} for at, of in kept.items()),
            gone,
            *({"source_labels": [at], "target_label": to} for to, at in labels.items()),
        ],
    }


# Alertmanager


def alertmanager_settings(receiver: str, token: Path, page: Path = PAGE) -> Settings:
    """What docs/alerts.md tells people to write, with this address and token.

    Alerts for people end nowhere here.
    """
    settings = _block(page, "receivers")
    (hook,) = settings["receivers"][0]["webhook_configs"]
    hook["url"] = receiver
    hook["http_config"]["authorization"]["credentials_file"] = str(token)
    settings["receivers"].append({"name": PEOPLE})
    settings["route"]["receiver"] = PEOPLE
    return settings


def _receiver(cluster: Cluster) -> str:
    where = ("-n", NAMESPACE, "get", "service", SERVICE, "-o", "jsonpath={.spec.clusterIP}")
    return f"http://{cluster.kubectl(*where)}:8081/alerts"


def _token(cluster: Cluster) -> str:
    where = ("-n", NAMESPACE, "get", "secret", SECRET, "-o", "jsonpath={.data.token}")
    return b64decode(cluster.kubectl(*where)).decode()


def _block(page: Path, first: str) -> Settings:
    """The YAML of a page that begins with that key."""
    wanted = rf"^```yaml\n({first}:.*?)^```$"
    block = re.search(wanted, page.read_text(), re.MULTILINE | re.DOTALL)
    if block is None:
        raise ClusterError(f"{page.name} has no settings with {first} any more.")
    settings: Settings = yaml.safe_load(block[1])
    return settings


# Asking


def _wait_ready(cluster: Cluster, name: str, url: str) -> None:
    deadline = time.monotonic() + READY_WAIT_S
    while True:
        cluster.processes.must_live(name)
        with contextlib.suppress(urllib.error.URLError, OSError):
            _get(url)
            return
        if time.monotonic() > deadline:
            words = cluster.processes.last_words(name)
            raise ClusterError(f"{name} was not ready within {READY_WAIT_S:.0f} s:\n{words}")
        time.sleep(0.2)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text
