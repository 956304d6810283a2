"""Helm, and JSON schemas made from a running API server, for tests of the charts."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from localcluster import build

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "voiceroom"
CRD_CHART = ROOT / "charts" / "voiceroom-crds"
KUBE_VERSION = "1.34.4"
EVERYTHING = (
    "scope.allNamespaces=false",
    "scope.namespaces={ana,bob}",
    "defaultPool.realtime.mode=Exclusive",
    "defaultPool.resources.limits.cpu=2",
    "mixer.networkPolicy.enabled=true",
    "mixer.networkPolicy.scraperNamespaces={monitoring}",
    "operator.networkPolicy.enabled=true",
    "operator.taintNodes=true",
    "operator.priorityClassName=system-cluster-critical",
    "runtimeClass.create=true",
    "clockProbe.enabled=true",
    "chaos.enabled=true",
    "chaos.node.enabled=true",
    "chaos.node.netem=true",
    "podMonitor.enabled=true",
    "serviceMonitor.enabled=true",
    "prometheusRule.enabled=true",
    "dashboards.enabled=true",
    "dashboards.alerting.enabled=true",
    "ingress.enabled=true",
    "ingress.host=voice.example.org",
    "ingress.tlsSecret=voice-tls",
    "httpRoute.enabled=true",
    "httpRoute.parentRefs[0].name=web",
    "httpRoute.hostnames={voice.example.org}",
)
"""Every switch on."""
FOREIGN = ("PodMonitor", "ServiceMonitor", "PrometheusRule", "HTTPRoute")
"""Kinds of other projects, whose schemas are not at hand."""
SETS = {"defaults": (), "everything": EVERYTHING}


def tool(name: str) -> Path:
    """Or the test is skipped."""
    path = build.built(name)
    if path is None:
        pytest.skip(f"{name} is not built: python -m localcluster build {name}")
    return path


@dataclass(frozen=True)
class Helm:
    """One version of it."""

    path: Path
    kubeconfig: Path | None = None

    def run(self, *arguments: str | Path, fails: bool = False) -> str:
        """What it said; with ``fails`` its error."""
        at = [f"--kubeconfig={self.kubeconfig}"] if self.kubeconfig else []
        command = [str(self.path), *map(str, arguments), *at]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode != 0) == fails, done.stderr + done.stdout
        return done.stderr if fails else done.stdout

    def template(self, *values: str, chart: Path = CHART) -> str:
        """Rendered, hooks too."""
        sets = [f"--set={value}" for value in values]
        options = (f"--kube-version={KUBE_VERSION}", "--namespace=voice")
        return self.run("template", "voiceroom", chart, *options, *sets)


def standalone(name: str, definitions: dict[str, Any]) -> str:
    """One definition with all that it refers to, and unknown keys refused."""
    needed: dict[str, Any] = {}
    _gather(name, definitions, needed)
    return json.dumps({"$ref": f"#/definitions/{name}", "definitions": needed})


def _gather(name: str, definitions: dict[str, Any], into: dict[str, Any]) -> None:
    if name in into:
        return
    into[name] = {}
    into[name] = _strict(definitions[name], definitions, into)


def _strict(node: Any, definitions: dict[str, Any], into: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_strict(child, definitions, into) for child in node]
    if not isinstance(node, dict):
        return node
    if isinstance(reference := node.get("$ref"), str):
        _gather(reference.rpartition("/")[2], definitions, into)
        return {"$ref": reference}
    if node.get("format") == "int-or-string":
        return {"type": ["integer", "string"]}
    made = {
        key: _strict(child, definitions, into)
        for key, child in node.items()
        if not key.startswith("x-kubernetes")
    }
    if "properties" in made and "additionalProperties" not in made:
        made["additionalProperties"] = False
    return made
