"""A cluster on one machine does what a cluster does."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.kubepods import Pod, Wanted, pod
from harness.voice import until
from localcluster.cluster import Cluster
from localcluster.failure import ClusterError

pytestmark = pytest.mark.timeout(240)
SERVE = "exec busybox nc -ll -p 8080 -e /bin/cat"


@pytest.fixture(scope="module")
def echo(machine_cluster: Cluster) -> Iterator[Pod]:
    """A pod on node-1 that answers what it is sent, at a Service and at a port of its node."""
    ports = [{"containerPort": 8080, "hostPort": 18080}]
    with pod(machine_cluster, Wanted("echo", "node-1", SERVE, ports=ports)) as made:
        machine_cluster.kubectl("expose", "pod", "echo", "--port=80", "--target-port=8080")
        yield made
        machine_cluster.kubectl("delete", "service", "echo")


def test_both_nodes_are_ready_and_of_the_pinned_version(machine_cluster: Cluster) -> None:
    lines = machine_cluster.kubectl("get", "nodes", "--no-headers").splitlines()
    told = [(words[0], words[1], words[4]) for words in map(str.split, lines)]
    assert told == [("node-1", "Ready", "v1.34.4"), ("node-2", "Ready", "v1.34.4")]


def test_a_pod_reaches_a_service_on_the_other_node_by_its_name(
    machine_cluster: Cluster, echo: Pod
) -> None:
    with pod(machine_cluster, Wanted("caller", "node-2")) as caller:
        # kube-proxy and the name service hear of a new Service when they hear of it
        until(lambda: echoed(caller), 30, "the Service answers")


def echoed(caller: Pod) -> bool:
    """Whether the Service, asked by its name, says what it is told."""
    ask = "echo hello | busybox nc -w 3 echo.default.svc.cluster.local 80"
    try:
        return caller.run("sh", "-c", ask) == "hello\n"
    except ClusterError:  # nobody answers, or there is no such name
        return False


def test_pods_see_each_others_own_addresses(machine_cluster: Cluster, echo: Pod) -> None:
    address = "jsonpath={.status.podIP}"
    there = machine_cluster.kubectl("get", "pod", "echo", "-o", address)
    hold = f"sleep 100000 | busybox nc {there} 8080"
    with pod(machine_cluster, Wanted("caller", "node-2", hold)):
        own = machine_cluster.kubectl("get", "pod", "caller", "-o", address)
        while "ESTABLISHED" not in (seen := echo.run("busybox", "netstat", "-tn")):
            time.sleep(0.1)
    assert f"{own}:" in seen


def test_a_host_port_is_reached_from_this_machine(echo: Pod) -> None:
    with socket.create_connection((echo.node.address, 18080), timeout=5) as stream:
        stream.sendall(b"hello")
        assert stream.recv(16) == b"hello"


def test_logs_can_be_read(machine_cluster: Cluster) -> None:
    with pod(machine_cluster, Wanted("talker", "node-2", "echo hello; sleep 100000")):
        assert machine_cluster.kubectl("logs", "talker") == "hello\n"


@pytest.mark.skipif(
    len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs: one is never exclusive"
)
def test_whole_cpus_are_exclusive_on_both_nodes_at_once(machine_cluster: Cluster) -> None:
    one, two = Wanted("one", "node-1", cpu="1"), Wanted("two", "node-2", cpu="1")
    with pod(machine_cluster, one) as first, pod(machine_cluster, two) as second:
        cpus = [os.sched_getaffinity(made.process()) for made in (first, second)]
    assert [len(each) for each in cpus] == [1, 1]
    assert cpus[0] != cpus[1]


def test_half_a_cpu_is_a_quota(machine_cluster: Cluster) -> None:
    with pod(machine_cluster, Wanted("half", "node-2", cpu="500m")) as made:
        folder = made.cgroup()
        v1, v2 = folder / "cpu.cfs_quota_us", folder / "cpu.max"
        told = v1.read_text().split()[0] if v1.exists() else v2.read_text().split()[0]
    assert told == "50000"


def test_the_kubeconfig_is_readable_by_its_owner_only(machine_cluster: Cluster) -> None:
    files = [machine_cluster.kubeconfig, *Path(machine_cluster.layout.folder / "pki").iterdir()]
    assert {file.stat().st_mode & 0o077 for file in files} == {0}
