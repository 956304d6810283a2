"""A control plane without nodes: what tests of an operator need, and nothing left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from localcluster import controlplane, paths
from localcluster.controlplane import ControlPlane
from localcluster.failure import ClusterError
from localcluster.processes import Processes, Started

pytestmark = pytest.mark.timeout(180)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p"},
    "spec": {"nodeName": "nowhere", "containers": [{"name": "c", "image": "x"}]},
}


def test_it_calls_itself_by_the_pinned_version(control_plane: ControlPlane) -> None:
    told = json.loads(control_plane.kubectl("version", "-o", "json"))
    assert told["serverVersion"]["gitVersion"] == "v1.34.4"
    assert told["serverVersion"]["minor"] == "34"


def test_pods_are_admitted_at_once_and_stay(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "-f", "-", stdin=json.dumps(POD))
    assert control_plane.kubectl("get", "pod", "p", "-o", "jsonpath={.spec.nodeName}") == "nowhere"
    control_plane.kubectl("delete", "pod", "p", "--force", "--grace-period=0")


def test_a_namespace_goes_with_what_is_in_it(control_plane: ControlPlane) -> None:
    control_plane.kubectl("create", "namespace", "gone")
    control_plane.kubectl("-n", "gone", "create", "configmap", "c")
    control_plane.kubectl("delete", "namespace", "gone", "--wait=true", "--timeout=60s")
    with pytest.raises(ClusterError, match=r'namespaces "gone" not found'):
        control_plane.kubectl("get", "namespace", "gone")


def test_a_paused_api_server_answers_nobody_until_it_goes_on(control_plane: ControlPlane) -> None:
    control_plane.pause("kube-apiserver")
    try:
        with pytest.raises(ClusterError):
            control_plane.kubectl("get", "nodes", "--request-timeout=1s")
    finally:
        control_plane.resume("kube-apiserver")
    control_plane.kubectl("get", "nodes")


def test_two_run_side_by_side_and_end(control_plane: ControlPlane, tmp_path: Path) -> None:
    with controlplane.running(tmp_path) as other:
        other.kubectl("create", "namespace", "mine")
        started = Processes(tmp_path).all()
        assert all(process.is_alive() for process in started)
    assert "mine" not in control_plane.kubectl("get", "namespaces", "-o", "name")
    assert not any(process.is_alive() for process in started)


@pytest.mark.usefixtures("control_plane")
def test_it_ends_with_a_process_that_was_killed(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time; from localcluster import controlplane\n"
        "with controlplane.running(pathlib.Path(sys.argv[1])):\n"
        "    print('up', flush=True); time.sleep(99)"
    )
    environment = os.environ | {"PYTHONPATH": str(paths.REPOSITORY / "scripts")}
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"up\n"
        started = Processes(tmp_path).all()
        parent.kill()
    for process in started:
        wait_ended(process)


def wait_ended(process: Started) -> None:
    """It goes by itself; the test's time limit is the deadline."""
    while process.is_alive():
        time.sleep(0.05)


def test_a_failed_start_says_why(tmp_path: Path, control_plane: ControlPlane) -> None:
    (tmp_path / "etcd").write_text("not a folder")
    with pytest.raises(ClusterError, match="did not come up"), controlplane.running(tmp_path):
        pass
    assert not any(process.is_alive() for process in Processes(tmp_path).all())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL  # this process was left alone
