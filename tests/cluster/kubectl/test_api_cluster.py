"""The real API server does what the cluster of the unit tests does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.kubectl_cluster import ClusterSuite
from harness import definitions
from localcluster.controlplane import ControlPlane
from voiceroom_kubectl.__main__ import main
from voiceroom_kubectl.api import ApiCluster, connected
from voiceroom_kubectl.cluster import ClusterError, NotFound

NAMESPACES = ("ana", "bob")
pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> Iterator[ControlPlane]:
    """With our resources."""
    definitions.install(control_plane)
    for name in NAMESPACES:
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        control_plane.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
    yield control_plane
    definitions.remove(control_plane)


@pytest.fixture
def cluster(plane: ControlPlane) -> Iterator[ApiCluster]:
    """Without rooms."""
    made = connected(str(plane.kubeconfig), None)
    yield made
    for room in made.rooms(None):
        made.delete_room(room["metadata"]["namespace"], room["metadata"]["name"])


class TestApiCluster(ClusterSuite):
    """The suite, for real."""


def test_an_entry_of_a_secret_is_read(plane: ControlPlane, cluster: ApiCluster) -> None:
    plane.kubectl("-n", "ana", "create", "secret", "generic", "keys", "--from-literal=a=x y")
    assert cluster.secret("ana", "keys", "a") == b"x y"
    with pytest.raises(NotFound, match="the Secret ana/keys has no entry b"):
        cluster.secret("ana", "keys", "b")
    plane.kubectl("-n", "ana", "delete", "secret", "keys")


def test_a_patch_that_breaks_a_rule_is_refused_in_the_rules_words(cluster: ApiCluster) -> None:
    cluster.create_room("ana", "lobby")
    wrong = {"spec": {"audio": {"jitterBuffer": {"minMs": 300, "maxMs": 20}}}}
    with pytest.raises(ClusterError, match="minMs must not be greater than maxMs"):
        cluster.patch_room("ana", "lobby", wrong)


def test_a_context_that_is_not_there_is_named(plane: ControlPlane) -> None:
    with pytest.raises(ClusterError, match="elsewhere"):
        connected(str(plane.kubeconfig), "elsewhere")


def test_a_server_that_is_away_ends_with_code_3(
    plane: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    away = tmp_path / "away"
    nobody = r"\1https://127.0.0.1:1"
    away.write_text(re.sub(r"(server: )\S+", nobody, plane.kubeconfig.read_text()))
    assert main(["rooms", f"--kubeconfig={away}"]) == 3
    assert "cannot be reached" in capsys.readouterr().err


def test_pause_and_resume_as_a_person_does_it(
    plane: ControlPlane, cluster: ApiCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.create_room("ana", "lobby")
    at = ["lobby", "--namespace=ana", f"--kubeconfig={plane.kubeconfig}"]
    assert main(["pause", *at, "--reason", "a concert"]) == 0
    assert main(["describe", *at]) == 0
    assert "paused, because 'a concert'" in capsys.readouterr().out
    assert main(["resume", *at]) == 0
    assert "paused" not in cluster.room("ana", "lobby")["spec"]["remediation"]
