"""The operator as a process at a real API server, with the chart's rights and no others."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from charts import manifests
from harness.operators import LocalOperator, local_operator
from harness.voice import until
from localcluster.controlplane import ControlPlane

NAMESPACE = "voiceroom"
IMAGE = "registry.example.org/voiceroom:1"
ROOM = {
    "apiVersion": "voiceroom.dev/v1alpha1",
    "kind": "VoiceRoom",
    "metadata": {"name": "lobby"},
}
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module", params=["voiceroom.yaml", "voiceroom-namespaced.yaml"])
def rights(
    request: pytest.FixtureRequest, plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalOperator]:
    """The roles of a committed manifest, and an operator that has them; the manifest's Deployment
    runs nowhere, since there are no nodes."""
    folder: Path = tmp_path_factory.mktemp("operator")
    file = str(manifests.FOLDER / request.param)
    plane.kubectl("apply", "--server-side", "-f", file)
    token = plane.kubectl("-n", NAMESPACE, "create", "token", "voiceroom-operator").strip()
    kubeconfig = folder / "operator.kubeconfig"
    kubeconfig.write_text(as_user(plane.kubeconfig.read_text(), token))
    operator = LocalOperator(kubeconfig, NAMESPACE, IMAGE, folder)
    with local_operator(operator):
        yield operator
    plane.kubectl("delete", "--ignore-not-found", "-f", file)


def as_user(text: str, token: str) -> str:
    """The kubeconfig with another user."""
    config: dict[str, Any] = yaml.safe_load(text)
    for user in config["users"]:
        user["user"] = {"token": token}
    return yaml.safe_dump(config)


def names_of(plane: ControlPlane, kinds: str) -> set[str]:
    return set(plane.kubectl("-n", NAMESPACE, "get", kinds, "-o", "name").split())


def refusals(operator: LocalOperator) -> dict[str, float]:
    """Calls that were answered 401 or 403, by their labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    line = r"^voiceroom_operator_api_requests_total\{(.*code=\"40[13]\".*)\} (\S+)$"
    return {labels: float(count) for labels, count in re.findall(line, text, re.MULTILINE)}


def test_the_charts_rights_are_enough(plane: ControlPlane, rights: LocalOperator) -> None:
    rights.until_ready()
    plane.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(ROOM))
    wanted = {
        "secret/voiceroom-default",
        "secret/voiceroom-default-ca",
        "service/voiceroom-default",
        "poddisruptionbudget.policy/voiceroom-default",
        "pod/voiceroom-default-0",
    }
    kinds = "secrets,services,poddisruptionbudgets,pods"
    until(lambda: wanted <= names_of(plane, kinds), 40, f"all is made: {rights.said()}")
    status = "jsonpath={.status.conditions[?(@.type=='Ready')].reason}"
    until(
        lambda: (
            plane.kubectl("-n", NAMESPACE, "get", "vr", "lobby", "-o", status) == "WaitingForPod"
        ),
        10,
        "the room says what it waits for",
    )
    events = plane.kubectl("-n", NAMESPACE, "get", "events", "-o", "jsonpath={.items[*].reason}")
    assert {"PoolMade", "PodCreated"} <= set(events.split())
    plane.kubectl("-n", NAMESPACE, "delete", "mixerpool", "default", "--timeout=60s")
    until(lambda: not wanted & names_of(plane, kinds), 40, "nothing is left")
    plane.kubectl("-n", NAMESPACE, "delete", "vr", "lobby")
    assert refusals(rights) == {}


def test_a_quota_is_said_in_the_status_within_five_seconds(
    plane: ControlPlane, rights: LocalOperator
) -> None:
    rights.until_ready()
    plane.kubectl(
        "-n", NAMESPACE, "create", "quota", "none", "--hard=limits.cpu=10m,limits.memory=1Mi"
    )
    until(
        lambda: '"used"' in plane.kubectl("-n", NAMESPACE, "get", "quota", "none", "-o", "json"),
        20,
        "the quota is in force",
    )
    plane.kubectl("-n", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(ROOM))
    said = "jsonpath={.status.conditions[?(@.type=='Ready')].message}"

    def words() -> str:
        return plane.kubectl("-n", NAMESPACE, "get", "vr", "lobby", "-o", said)

    until(lambda: "exceeded quota: none" in words(), 5, "the room says why")
    assert "raise the ResourceQuota of the namespace" in words()
    plane.kubectl("-n", NAMESPACE, "delete", "quota", "none")
    until(lambda: "pod/voiceroom-default-0" in names_of(plane, "pods"), 30, "the pod is made")
    plane.kubectl("-n", NAMESPACE, "delete", "mixerpool", "default", "--timeout=60s")
    plane.kubectl("-n", NAMESPACE, "delete", "vr", "lobby")
