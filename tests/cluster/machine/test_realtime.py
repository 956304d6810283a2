"""Real time on the nodes: granted, refused, and taken away from a whole node."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.kubepods import Pod, Wanted, pod
from localcluster import cgroups, realtime
from localcluster.cluster import Cluster

pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(
        not realtime.has_budgets(cgroups.find()),
        reason="this kernel has no real-time budgets per cgroup: FIFO needs only the capability",
    ),
]


def is_granted(made: Pod) -> bool:
    """Whether the pod's process may run at SCHED_FIFO; it is put back at once."""
    process = made.process()
    try:
        os.sched_setscheduler(process, os.SCHED_FIFO, os.sched_param(10))
    except PermissionError:
        return False
    os.sched_setscheduler(process, os.SCHED_OTHER, os.sched_param(0))
    return True


@pytest.fixture(scope="module", autouse=True)
def _with_share(machine_cluster: Cluster) -> None:
    if not all(realtime.share(node) for node in machine_cluster.layout.nodes):
        pytest.skip("other clusters on this machine have taken its real-time budget")


@pytest.fixture
def no_share(machine_cluster: Cluster) -> Iterator[None]:
    node = machine_cluster.layout.nodes[0]
    realtime.set_share(node, 0)
    yield
    realtime.set_share(node, realtime.SHARE_US)


def test_the_runtime_class_grants_fifo(machine_cluster: Cluster) -> None:
    wanted = Wanted("fifo", "node-1", runtime_class="real-time")
    with pod(machine_cluster, wanted) as made:
        assert is_granted(made)


def test_other_pods_are_refused(machine_cluster: Cluster) -> None:
    with pod(machine_cluster, Wanted("plain", "node-1")) as made:
        assert not is_granted(made)


@pytest.mark.usefixtures("no_share")
def test_a_node_that_gives_no_share_refuses(machine_cluster: Cluster) -> None:
    wanted = Wanted("fifo", "node-1", runtime_class="real-time")
    with pod(machine_cluster, wanted) as made:
        assert not is_granted(made)


def test_a_running_container_can_be_granted_and_refused(machine_cluster: Cluster) -> None:
    with pod(machine_cluster, Wanted("plain", "node-2")) as made:
        realtime.grant(made.node, made.cgroup())
        granted = is_granted(made)
        realtime.revoke(made.cgroup())
        assert (granted, is_granted(made)) == (True, False)


def test_the_share_of_ended_containers_is_given_again(machine_cluster: Cluster) -> None:
    for _ in range(4):  # the node has a share for two
        with pod(machine_cluster, Wanted("fifo", "node-2", runtime_class="real-time")) as made:
            assert is_granted(made)


def test_a_stalled_node_starves_its_pods_without_throttling_them(machine_cluster: Cluster) -> None:
    busy = Wanted("busy", "node-2", "while :; do :; done", cpu="1")
    with pod(machine_cluster, busy) as made:
        with realtime.stalled(made.node):
            stolen = wait_for(lambda: run_delay_ms(made.process()), at_least=500)
        assert throttled(made.cgroup()) == 0
        after = run_delay_ms(made.process())
        time.sleep(0.5)
        assert run_delay_ms(made.process()) - after < stolen


def run_delay_ms(pid: int) -> float:
    """How long the process was ready to run and did not (sched-stats.rst)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e6


def throttled(cgroup: Path) -> int:
    lines = (cgroup / "cpu.stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("nr_throttled"))


def wait_for(read: Callable[[], float], at_least: float) -> float:
    """Until the reading has grown by that much; how much it grew."""
    begin = read()
    for _ in range(300):
        if read() - begin >= at_least:
            return read() - begin
        time.sleep(0.1)
    pytest.fail(f"grew by {read() - begin} only")
