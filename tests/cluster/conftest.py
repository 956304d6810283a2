"""Clusters for tests: the user's when it was named on purpose, else one on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from browsers.chromium import Chromiums, chromiums
from harness.apiproxy import ApiProxy, proxied
from harness.voice import SMALL, Voice, namespace
from images import cache
from images.voiceroom import voiceroom_image
from localcluster import cluster, controlplane, own, preconditions, voiceroom
from localcluster.cluster import Cluster
from localcluster.controlplane import ControlPlane
from localcluster.own import Own
from localcluster.voiceroom import Helm

SETTINGS = (
    f"--set=defaultPool.resources.requests.cpu={SMALL['requests']['cpu']}",
    "--set=defaultPool.drain.deadline=20s",
    "--set=defaultPool.remediation.mode=Off",
)


@pytest.fixture(scope="session")
def control_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """etcd, API server and controller manager, without nodes; needs no root."""
    if missing := controlplane.missing_programs():
        pytest.skip(f"not built: {', '.join(missing)} (python -m localcluster build)")
    with controlplane.running(tmp_path_factory.mktemp("control-plane")) as plane:
        yield plane


@pytest.fixture(scope="session")
def machine_cluster() -> Iterator[Cluster]:
    """Two nodes on this machine, for tests that also look at it from outside."""
    if own.chosen() is not None:
        pytest.skip("needs a cluster of this machine, and KUBECONFIG names another")
    if reason := preconditions.reason():
        pytest.skip(reason)
    name = f"tests-{os.getpid()}"
    try:
        yield cluster.up(name)
    finally:
        cluster.down(name)


@pytest.fixture(scope="session")
def kubeconfig(request: pytest.FixtureRequest) -> Path:
    """Of any cluster with nodes: the user's own, else `machine_cluster`."""
    chosen = own.chosen()
    if chosen is not None:
        return chosen.kubeconfig
    ours: Cluster = request.getfixturevalue("machine_cluster")
    return ours.kubeconfig


@pytest.fixture(scope="session")
def image(request: pytest.FixtureRequest) -> str:
    """Of this checkout, on the nodes; on a user's cluster the one that was named."""
    chosen = own.chosen()
    if chosen is not None:
        return chosen.image()
    machine: Cluster = request.getfixturevalue("machine_cluster")
    made = voiceroom_image(cache.folder())
    machine.load(made.archive)
    return made.reference


@pytest.fixture(scope="session")
def installed(image: str, request: pytest.FixtureRequest) -> Cluster | Own:
    """A cluster with the operator at work."""
    chosen: Cluster | Own | None = own.chosen()
    if chosen is None:
        chosen = request.getfixturevalue("machine_cluster")
    assert chosen is not None
    voiceroom.upgrade(Helm(chosen), image, *SETTINGS)
    return chosen


@pytest.fixture
def voice(installed: Cluster | Own, request: pytest.FixtureRequest) -> Iterator[Voice]:
    """A namespace for one test."""
    name = request.node.originalname.removeprefix("test_").replace("_", "-")[:40].strip("-")
    with namespace(installed, name) as made:
        yield made


@pytest.fixture(scope="module")
def shared(installed: Cluster | Own, request: pytest.FixtureRequest) -> Iterator[Voice]:
    """A namespace for a module whose tests do not get into each other's way."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_").replace("_", "-")
    with namespace(installed, f"all-{name}") as made:
        yield made


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Chromiums]:
    """Chromium browsers, one for each person."""
    with chromiums(tmp_path) as browsers:
        yield browsers


@pytest.fixture(scope="module")
def resting(machine_cluster: Cluster, installed: object) -> Iterator[None]:
    """The installed operator, asleep: the module's own ones are processes of this machine."""
    scale = ("-n", "voiceroom", "scale", "deployment/voiceroom-operator")
    machine_cluster.kubectl(*scale, "--replicas=0")
    gone = ("wait", "--for=delete", "pod", "--all", "--timeout=60s")
    machine_cluster.kubectl("-n", "voiceroom", *gone)
    yield
    machine_cluster.kubectl(*scale, "--replicas=2")
    rollout = ("rollout", "status", "deployment/voiceroom-operator", "--timeout=90s")
    machine_cluster.kubectl("-n", "voiceroom", *rollout)


@pytest.fixture
def proxy(machine_cluster: Cluster, tmp_path: Path) -> Iterator[ApiProxy]:
    """Between an operator on this machine and the API server."""
    with proxied(machine_cluster.kubeconfig, tmp_path) as made:
        yield made
