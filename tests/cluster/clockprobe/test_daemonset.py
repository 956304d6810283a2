"""The clock probe on every node: what it shows, what it may do, and that mixers hear of it."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.drift import node_of
from harness.listening import POLL
from harness.switches import switched_on
from harness.voice import Voice, until
from localcluster import monitoring, realtime
from localcluster.cluster import Cluster
from voiceroom_mixer.clockprobe.ebpf.btf import BtfError
from voiceroom_mixer.clockprobe.ebpf.kernel import BpfError
from voiceroom_mixer.clockprobe.ebpf.runqueue import EbpfSource

pytestmark = pytest.mark.timeout(300)
OWN = ("-n", "voiceroom")
SELECTOR = ("-l", "app.kubernetes.io/component=clock-probe")
DAEMONSET = "daemonset/voiceroom-clock-probe"
CAPABILITIES = {5: "KILL", 23: "SYS_NICE", 38: "PERFMON", 39: "BPF"}
"""Numbers as in capability.h."""
DRIFT = "node_timer_drift_delta_seconds"
SIGNALS = "voiceroom_sched_signals_total"
ALARMS = "voiceroom_scheduling_alarms_total"
STALL_S = 3.0
"""Long enough for the probe, which is stalled as well, to look once."""


@pytest.fixture(scope="module", autouse=True)
def _probes(installed: object, machine_cluster: Cluster, image: str) -> Iterator[None]:
    """On, as the chart has it by default otherwise."""
    with switched_on(machine_cluster, image, "clockProbe.enabled"):
        rolled_out(machine_cluster)
        yield


def rolled_out(cluster: Cluster) -> None:
    """Every node has the newest one."""
    cluster.kubectl(*OWN, "rollout", "status", DAEMONSET, "--timeout=90s")


def probes(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Pods by their node."""
    found = json.loads(cluster.kubectl(*OWN, "get", "pods", *SELECTOR, "-o", "json"))["items"]
    alive = (pod for pod in found if "deletionTimestamp" not in pod["metadata"])
    return {pod["spec"]["nodeName"]: pod for pod in alive}


def series(address: str, port: int) -> dict[str, float]:
    """What ``/metrics`` has, by name with labels."""
    with urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\w.*) (\S+)$", text, re.M)}


def figures(pod: dict[str, Any]) -> dict[str, float]:
    """Of a probe."""
    return series(pod["status"]["podIP"], 9465)


def cpus(figures: dict[str, float]) -> set[int]:
    """That it shows the drift of."""
    return {
        int(found[1]) for name in figures if (found := re.match(rf'{DRIFT}{{cpu="(\d+)"', name))
    }


def shows_every_cpu(pod: dict[str, Any]) -> bool:
    """Of this machine: no pod of these tests has one for itself."""
    return cpus(figures(pod)) == os.sched_getaffinity(0)


def info(figures: dict[str, float], name: str) -> dict[str, str]:
    """The labels of the one series of an info metric."""
    (labels,) = (key for key in figures if key.startswith(f"{name}{{"))
    return dict(re.findall(r'(\w+)="([^"]*)"', labels))


def processes(cluster: Cluster, pod: dict[str, Any]) -> list[Path]:
    """Of the probe's container, as this machine has them in /proc."""
    node = next(n for n in cluster.layout.nodes if n.name == pod["spec"]["nodeName"])
    name = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    folders = realtime.container_cgroups(node, pod["metadata"]["uid"])
    folder = next(folder for folder in folders if folder.name == name)
    return [Path("/proc", pid) for pid in (folder / "cgroup.procs").read_text().split()]


def status(process: Path) -> dict[str, str]:
    """``/proc/PID/status``."""
    lines = (line.partition(":") for line in (process / "status").read_text().splitlines())
    return {name: value.strip() for name, _, value in lines}


def kernel_allows_ebpf() -> bool:
    """To root on this machine."""
    try:
        EbpfSource()
    except (BtfError, BpfError):
        return False
    return True


@contextmanager
def without_seccomp(cluster: Cluster) -> Iterator[None]:
    """As a newer runtime has it, which lets who has CAP_BPF call bpf(2)."""
    _confine(cluster, "Unconfined")
    try:
        yield
    finally:
        _confine(cluster, "RuntimeDefault")


def _confine(cluster: Cluster, kind: str) -> None:
    spec = {"securityContext": {"seccompProfile": {"type": kind}}}
    patch = json.dumps({"spec": {"template": {"spec": spec}}})
    cluster.kubectl(*OWN, "patch", DAEMONSET, "-p", patch)
    rolled_out(cluster)


def mixer(voice: Voice) -> dict[str, Any]:
    """The pod that has the room."""
    return voice.get("pod", voice.owner("lobby"))


def signals(voice: Voice) -> float:
    """That the probe of the mixer's node says to have sent to it."""
    pod = mixer(voice)
    labels = f'namespace="{voice.namespace}",pod="{pod["metadata"]["name"]}"'
    found = figures(probes(voice.machine)[pod["spec"]["nodeName"]])
    return found.get(f"{SIGNALS}{{{labels}}}", 0.0)


@pytest.fixture(scope="module", autouse=True)
def _lobby(shared: Voice) -> None:
    """A mixer on one of the nodes."""
    shared.room("lobby")
    shared.ready("lobby")


def test_it_shows_how_late_timers_are_on_every_cpu_of_both_nodes(machine_cluster: Cluster) -> None:
    found = probes(machine_cluster)
    assert set(found) == {node.name for node in machine_cluster.layout.nodes}
    for pod in found.values():
        until(partial(shows_every_cpu, pod), 20, "each CPU")
        shown = figures(pod)
        assert all(value > 0 for name, value in shown.items() if name.startswith(DRIFT))
        granted = info(shown, "voiceroom_clock_probe_info")
        assert granted["visits"] == "parallel"
        # FIFO, or the reason why not: a pod has no real-time budget where the kernel counts them
        assert (granted["policy"] == "fifo") == (granted["reason"] == "")


def test_it_has_the_rights_that_it_asks_for_and_no_others(machine_cluster: Cluster) -> None:
    for pod in probes(machine_cluster).values():
        for process in processes(machine_cluster, pod):
            said = status(process)
            for kind in ("CapEff", "CapPrm", "CapBnd"):
                held = {number for number in range(64) if int(said[kind], 16) >> number & 1}
                assert held == set(CAPABILITIES)
            assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
            assert len(said["NSpid"].split()) == 1, "it is to see the node's processes"
            root = process / "root"
            assert not (root / "var/run/secrets/kubernetes.io").exists()


def test_it_says_where_waits_are_read_and_why_not_by_ebpf(machine_cluster: Cluster) -> None:
    for pod in probes(machine_cluster).values():
        said = info(figures(pod), "voiceroom_sched_latency_info")
        assert (said["source"] == "ebpf") == (said["reason"] == ""), said
        assert said["source"] in ("ebpf", "schedstat")
        print(pod["spec"]["nodeName"], said, info(figures(pod), "voiceroom_clock_probe_info"))


def test_it_reads_them_by_ebpf_where_kernel_and_runtime_allow_it(
    machine_cluster: Cluster, shared: Voice
) -> None:
    if not kernel_allows_ebpf():
        pytest.skip("this machine's kernel allows nobody to load programs")
    with without_seccomp(machine_cluster):
        for pod in probes(machine_cluster).values():
            said = info(figures(pod), "voiceroom_sched_latency_info")
            assert said == {"source": "ebpf", "reason": ""}
        wait_is_told(shared)


def test_a_wait_for_a_cpu_reaches_the_mixer_whose_log_has_its_ticks(shared: Voice) -> None:
    wait_is_told(shared)
    name = mixer(shared)["metadata"]["name"]
    until(lambda: "its last ticks" in shared.kubectl("logs", name), 60, "the ticks are logged")
    log = shared.kubectl("logs", name).splitlines()
    said = json.loads(next(line for line in reversed(log) if "its last ticks" in line))
    late = said["fields"].index("lateUs")
    assert said["alarms"] >= 1
    assert max(row[late] for row in said["ticks"]) > 0


def wait_is_told(voice: Voice) -> None:
    """The node stalls for a moment; then its probe has sent a signal, and the mixer had it."""
    pod, before = mixer(voice), signals(voice)
    with realtime.stalled(node_of(voice, pod["spec"]["nodeName"])):
        POLL.wait(STALL_S)
    until(lambda: signals(voice) > before, 30, "the probe has told the mixer")
    address = pod["status"]["podIP"]
    until(lambda: series(address, 9464)[ALARMS] >= 1, 10, "the mixer has counted it")


def test_prometheus_knows_it_as_the_job_node_timer_drift(
    machine_cluster: Cluster, shared: Voice
) -> None:
    nodes, pod = set(probes(machine_cluster)), mixer(shared)["metadata"]["name"]
    with monitoring.watched(machine_cluster) as watch:

        def drift() -> list[dict[str, str]]:
            return [labels for labels, _ in watch.query(f'{DRIFT}{{job="node-timer-drift"}}')]

        until(lambda: {labels["node"] for labels in drift()} == nodes, 60, "both are scraped")
        assert {labels["cpu"] for labels in drift()} == {str(c) for c in os.sched_getaffinity(0)}
        of_mixer = f'job="node-timer-drift",namespace="{shared.namespace}",pod="{pod}"'
        waits = watch.query(f"voiceroom_sched_latency_seconds_count{{{of_mixer}}}")
        # both nodes are this one machine, so that each probe sees the mixers of both
        assert {labels["node"] for labels, _ in waits} == nodes
