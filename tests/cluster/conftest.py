"""Clusters for tests: the user's when it was named on purpose, else one on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from localcluster import cluster, controlplane, own, preconditions
from localcluster.cluster import Cluster
from localcluster.controlplane import ControlPlane


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
