"""The chaos door of a node on real pods: what it takes from a mixer it gives back, whatever happens
to the door meanwhile."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.chaosline import chaos, items
from harness.drift import main_container, node_of
from harness.switches import switched_on
from harness.voice import Voice, until
from localcluster import realtime, voiceroom
from localcluster.cluster import Cluster
from localcluster.voiceroom import Helm
from voiceroom_chaosdoor.cgroups import mounted
from voiceroom_chaosdoor.quota import Quota

pytestmark = pytest.mark.timeout(300)
OWN = ("-n", "voiceroom")
DAEMONSET = "daemonset/voiceroom-chaos-door"
SELECTOR = ("-l", "app.kubernetes.io/component=chaos-door")
CAPABILITIES = {12: "NET_ADMIN", 19: "SYS_PTRACE", 21: "SYS_ADMIN"}
"""Numbers as in capability.h."""
PERCENT = 6
LITTLE = (f"--percent={PERCENT}",)
"""An idle mixer takes about 6 ms of 100: with less than two thirds of that it cannot keep time."""
WHOLE, GIVEN = Quota(50_000, 100_000), Quota(3_000, 100_000)
"""Of half a CPU."""


@pytest.fixture(scope="module", autouse=True)
def _doors(
    installed: object,
    machine_cluster: Cluster,
    image: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    """On, as the chart has them by default otherwise."""
    on = ("chaos.enabled", "chaos.node.enabled", "chaos.node.netem")
    journal = f"--set=chaos.node.journal={tmp_path_factory.mktemp('journal')}"
    voiceroom.upgrade(Helm(machine_cluster), image, "--reuse-values", journal)
    with switched_on(machine_cluster, image, *on):
        machine_cluster.kubectl(*OWN, "rollout", "status", DAEMONSET, "--timeout=90s")
        yield


@pytest.fixture(scope="module", autouse=True)
def _lobby(_doors: None, shared: Voice) -> None:
    """A room, on the only mixer of its pool."""
    shared.pool("default")
    shared.room("lobby")
    shared.ready("lobby")


def mixer(voice: Voice) -> dict[str, Any]:
    """The pod that has the room."""
    return voice.get("pod", voice.owner("lobby"))


def door(voice: Voice) -> dict[str, Any]:
    """The pod of the door on its node."""
    node = mixer(voice)["spec"]["nodeName"]
    found = json.loads(voice.machine.kubectl(*OWN, "get", "pods", *SELECTOR, "-o", "json"))
    alive = [pod for pod in found["items"] if "deletionTimestamp" not in pod["metadata"]]
    return next(pod for pod in alive if pod["spec"]["nodeName"] == node)


def is_replaced(voice: Voice, name: str) -> bool:
    """Another door than ``name`` is Ready on the mixer's node."""
    try:
        now = door(voice)
    except StopIteration:
        return False
    said = {one["type"]: one["status"] for one in now["status"].get("conditions", [])}
    return now["metadata"]["name"] != name and said.get("Ready") == "True"


def quota(voice: Voice) -> Quota | None:
    """Of the mixer, as the kernel has it."""
    folder = main_container(voice, voice.owner("lobby"))
    return mounted(Path("/sys/fs/cgroup")).read(str(folder))


def figures(pod: dict[str, Any], port: int = 9466) -> dict[str, float]:
    """What its ``/metrics`` has."""
    url = f"http://{pod['status']['podIP']}:{port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        text = answer.read().decode()
    return {name: float(value) for name, value in re.findall(r"^(\w.*) (\S+)$", text, re.M)}


def undone(voice: Voice, why: str, kind: str = "throttle") -> float:
    """Experiments, by their end."""
    return figures(door(voice))[f'voiceroom_chaos_node_undone_total{{kind="{kind}",why="{why}"}}']


def faults(voice: Voice) -> float:
    """Of the mixer, of which it says that its quota was used up. To be asked while it is takes it
    many seconds: it has next to no CPU time to answer with."""
    return figures(mixer(voice), 9464)['voiceroom_drift_faults_total{cause="throttle"}']


def sees_throttling(voice: Voice, before: float) -> bool:
    """It may be slow to answer."""
    try:
        return faults(voice) > before
    except OSError:
        return False


def process(voice: Voice) -> Path:
    """The door's, as this machine has it in /proc."""
    pod = door(voice)
    name = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    folders = realtime.container_cgroups(
        node_of(voice, pod["spec"]["nodeName"]), pod["metadata"]["uid"]
    )
    folder = next(folder for folder in folders if folder.name == name)
    (pid,) = (folder / "cgroup.procs").read_text().split()
    return Path("/proc", pid)


def shown(voice: Voice) -> dict[str, Any]:
    """``chaos show`` of the mixer."""
    (one,) = items(chaos(voice, "show"))
    return one


def begun(voice: Voice, seconds: int = 60) -> None:
    """Less than it needs is left to the mixer."""
    done = chaos(voice, "throttle", f"--for={seconds}s", *LITTLE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert quota(voice) == GIVEN


def test_a_throttled_mixer_knows_it_and_has_its_quota_back_at_the_deadline(shared: Voice) -> None:
    assert quota(shared) == WHOLE
    began, seen = undone(shared, "deadline"), faults(shared)
    begun(shared, 20)
    until(lambda: quota(shared) == WHOLE, 40, "the deadline")
    until(lambda: sees_throttling(shared, seen), 10, "the mixer has seen through it")
    assert undone(shared, "deadline") == began + 1
    assert "onNode" not in shown(shared)
    until(lambda: {"ChaosBegan", "ChaosOver"} <= shared.reasons(), 10, "events of the pod")


def test_the_drill_measures_what_a_throttle_does_and_judges_it(shared: Voice) -> None:
    done = chaos(shared, "throttle", "--for=15s", *LITTLE, "--drill")
    (trial,) = items(done)
    print(done.stdout, done.stderr)
    assert trial["chaos"]["frameFailureRatio"] > trial["before"]["frameFailureRatio"]
    assert trial["after"]["breaker"] == "closed"
    assert done.returncode == (0 if trial["passed"] else 1)
    assert "the fault did not end at its deadline" not in trial["faults"]
    assert quota(shared) == WHOLE


def test_it_is_shown_and_ended_by_hand(shared: Voice) -> None:
    begun(shared)
    assert shown(shared)["onNode"]["percent"] == PERCENT
    second = chaos(shared, "throttle", "--for=10s")
    assert second.returncode == 1
    assert "throttle runs for another" in items(second)[0]["error"]
    assert chaos(shared, "end").returncode == 0
    assert quota(shared) == WHOLE


def test_a_door_that_is_killed_comes_back_and_undoes_it(shared: Voice) -> None:
    begun(shared)
    os.kill(int(process(shared).name), signal.SIGKILL)
    until(lambda: quota(shared) == WHOLE, 40, "its successor undoes it")
    until(lambda: undone(shared, "recovered") == 1, 10, "and says so")


def test_a_door_whose_pod_is_deleted_undoes_it(shared: Voice) -> None:
    begun(shared)
    name = door(shared)["metadata"]["name"]
    shared.machine.kubectl(*OWN, "delete", "pod", name, "--wait=false")
    until(lambda: quota(shared) == WHOLE, 20, "its last act")
    # the DaemonSet's status is that of the time before for a moment: its rollout says nothing
    until(lambda: is_replaced(shared, name), 90, "another door on the node")


def test_it_has_the_rights_that_it_asks_for_and_no_others(shared: Voice) -> None:
    lines = (process(shared) / "status").read_text().splitlines()
    said = {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        held = {number for number in range(64) if int(said[kind], 16) >> number & 1}
        assert held == set(CAPABILITIES)
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")


def test_its_orders_are_taken_on_its_loopback_only(shared: Voice) -> None:
    address = door(shared)["status"]["podIP"]
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://{address}:9467/v1/pods/a/b/chaos", timeout=5)


LOSSY = ("--delay=20ms", "--jitter=5ms", "--loss=10%")


def kernel_has_netem() -> bool:
    """Tried in a network of its own."""
    queue = "ip link set lo up && tc qdisc add dev lo root netem delay 1ms"
    command = ["unshare", "--net", "sh", "-c", queue]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def queues(voice: Voice) -> str:
    """Of the mixer's network, as tc shows them."""
    pid = (main_container(voice, voice.owner("lobby")) / "cgroup.procs").read_text().split()[0]
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "tc", "qdisc", "show"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_kernel_without_netem_is_told_and_nothing_stays(shared: Voice) -> None:
    if kernel_has_netem():
        pytest.skip("this machine's kernel has netem")
    before = queues(shared)
    done = chaos(shared, "netem", "--for=20s", *LOSSY)
    assert done.returncode == 1
    assert "the node's kernel has no netem: modprobe sch_netem" in items(done)[0]["error"]
    assert queues(shared) == before
    assert "onNode" not in shown(shared)
    assert undone(shared, "failed", "netem") == 1


def test_what_a_mixer_sends_is_delayed_and_lost_for_a_while(shared: Voice) -> None:
    if not kernel_has_netem():
        pytest.skip("this machine's kernel has no netem")
    done = chaos(shared, "netem", "--for=20s", *LOSSY)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "netem 7ec0: dev eth0 root" in queues(shared)
    until(lambda: "netem" not in queues(shared), 30, "the deadline")
