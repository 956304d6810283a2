"""Calls on two real nodes, and what is done to the time of a pod or a node under them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.captures import CapturedLeg, Passage, passage
from harness.listening import until_heard
from harness.party import Party
from harness.rtp import RtpLeg
from harness.voice import PodDoor, Voice, until
from localcluster import cgroups, realtime
from localcluster.cluster import Cluster
from localcluster.layout import Node
from localcluster.own import Own

ADA_HZ = 620.0
PATIENT = {"jitterBuffer": {"minMs": 120, "maxMs": 200}}
EAGER = {
    "mode": "Enforce",
    "minHealthyAge": "5s",
    "healthyDelay": "20s",
    "cpuLimitPercent": 100,
}
"""As by default, but for waits that would only make a test long, and without a cure in place: what
`throttled` does to a cgroup would be undone by a raised limit."""
WHOLE = {"cpu": "700m", "memory": "512Mi"}
"""Enough that nobody else on the node takes the mixer's turn."""
IN_PLACE = EAGER | {"cpuLimitPercent": 200}
_LEASE = "jsonpath={.spec.holderIdentity}"
_NODE = "jsonpath={.spec.nodeName}"


@dataclass
class Call:
    """Ada speaks and Bob hears her: two gateways in the room `lobby`."""

    voice: Voice
    party: Party[PodDoor]
    ada: RtpLeg
    bob: RtpLeg

    @property
    def pod(self) -> str:
        """That mixes, as the status says."""
        return self.voice.owner("lobby")

    @property
    def node(self) -> str:
        """That the room is on."""
        return str(self.voice.status("lobby")["nodeName"])

    def follow(self) -> None:
        """Send to where the room is now, as the event `moved` tells gateways."""
        host, _, port = self.voice.status("lobby")["endpoint"]["udp"][0].rpartition(":")
        self.ada.target = self.bob.target = (host, int(port))

    def goes_on(self) -> None:
        """Bob hears Ada, wherever the room is, and neither has joined anew."""
        self.follow()
        until_heard(self.bob, ADA_HZ)

    def passage(self, begun: int) -> Passage:
        """What Bob had since his packet number ``begun``."""
        return passage(self.bob.heard[begun:])

    @property
    def last_move(self) -> dict[str, Any]:
        """On record."""
        return dict(self.voice.status("lobby").get("moves", {}).get("last") or {})


@contextmanager
def a_call(voice: Voice, **pool: Any) -> Iterator[Call]:
    """On a pool with a pod on each node, both of which have kept time for a while."""
    usual = {"size": {"min": 2, "max": 4, "spare": 0}, "drain": {"deadline": "15s"}}
    resources = {"limits": WHOLE, "requests": {"cpu": "300m"}}
    voice.pool("default", **{**usual, "remediation": EAGER, "resources": resources, **pool})
    voice.room("lobby", audio=PATIENT)
    voice.ready("lobby")
    until(lambda: len(nodes(voice)) == 2, 60, "a pod on each node")
    for pod in voice.pods():
        voice.kubectl("wait", "--for=condition=Ready", f"pod/{pod}", "--timeout=60s")
    with voice.people("lobby") as party:
        ada = party.join(ADA_HZ, "ada", host=voice.here)
        bob = party.join(None, "bob", host=voice.here)
        until_heard(bob, ADA_HZ)
        bob.wait_packets(400, timeout_s=20)  # 8 s: older than `minHealthyAge`
        yield Call(voice, party, ada, bob)


def nodes(voice: Voice) -> set[str]:
    """That the pool has pods on."""
    return {pod["spec"]["nodeName"] for pod in voice.pods().values() if "nodeName" in pod["spec"]}


def captured(call: Call) -> CapturedLeg:
    """A WebRTC leg that keeps what came in, and has heard Ada."""
    cyd = CapturedLeg(None, host=call.voice.here)
    call.party.legs.append(cyd)
    cyd.join(call.party.mixer, call.party.sign("speaker", "cyd"), room="lobby")
    call.party.ids.append(cyd.id)
    until_heard(cyd, ADA_HZ)
    return cyd


def mixed_at(voice: Voice) -> list[str]:
    """Pods that answer for the room by themselves."""
    return [pod for pod in voice.pods() if mixes(voice.door("lobby", pod))]


def mixes(door: PodDoor) -> bool:
    """The pod has the room, by its own word."""
    return "lobby" in str(door.call("GET", "/rooms", door.sign("admin", "lobby"))[1])


def node_of(voice: Voice, name: str) -> Node:
    """One of this machine's."""
    return next(node for node in voice.machine.layout.nodes if node.name == name)


def containers(voice: Voice, pod: str) -> list[Path]:
    """The cgroups of a pod's containers."""
    body = voice.get("pod", pod)
    node = node_of(voice, body["spec"]["nodeName"])
    return realtime.container_cgroups(node, body["metadata"]["uid"])


@contextmanager
def throttled(voice: Voice, pod: str) -> Iterator[None]:
    """One pod gets 5 ms of each 100 ms."""
    with realtime.throttled(main_container(voice, pod)):
        yield


def main_container(voice: Voice, pod: str) -> Path:
    """The cgroup of a pod's mixer's container."""
    return next(c for c in containers(voice, pod) if _has(c, b"voiceroom-media"))


def _has(container: Path, name: bytes) -> bool:
    pids = (container / "cgroup.procs").read_text().split()
    return any(name in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)


def kill(voice: Voice, pod: str) -> None:
    """SIGKILL to every process of a pod, at once."""
    for folder in containers(voice, pod):
        _kill_all(folder)


def _kill_all(folder: Path) -> None:
    for pid in (folder / "cgroup.procs").read_text().split():
        with suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


@contextmanager
def lost(voice: Voice, name: str) -> Iterator[None]:
    """The node's kubelet says nothing, and every process in its pods is killed."""
    kubelet = voice.machine.processes.named(f"kubelet-{name.rpartition('-')[2]}")
    kubelet.send(signal.SIGSTOP)
    try:
        pods = cgroups.find().root("cpu") / node_of(voice, name).cgroup / "kubepods"
        for folder in [pods, *(path for path in pods.rglob("*") if path.is_dir())]:
            _kill_all(folder)
        yield
    finally:
        kubelet.send(signal.SIGCONT)
        voice.cluster.kubectl("wait", "--for=condition=Ready", f"node/{name}", "--timeout=90s")


def request_move(voice: Voice, number: int = 1) -> None:
    """As `kubectl voiceroom move` does."""
    asked = json.dumps({"id": f"by-hand-{number}", "why": "test"})
    voice.kubectl("annotate", "voiceroom", "lobby", f"voiceroom.dev/move={asked}", "--overwrite")


def holder(cluster: Cluster | Own) -> str:
    """The pod of the operator that holds the Lease; empty while there is none."""
    in_own = ("-n", "voiceroom")
    said = cluster.kubectl(*in_own, "get", "lease", "voiceroom-operator", "-o", _LEASE)
    pod = said.partition("_")[0]
    found = cluster.kubectl(*in_own, "get", "pods", "-o", "name").split()
    return pod if f"pod/{pod}" in found else ""


def leads(cluster: Cluster | Own) -> str:
    """The node of that pod."""
    pod = holder(cluster)
    return cluster.kubectl("-n", "voiceroom", "get", "pod", pod, "-o", _NODE) if pod else ""


def lead_from(cluster: Cluster | Own, *, on: str = "", off: str = "") -> None:
    """The operator on this node leads, or one on another.

    Whoever leads elsewhere is sent away, again and again: a replica that was stalled leaves the
    Lease to others for half a minute, its successor on the wrong node among them.
    """
    sent: set[str] = set()

    def fits() -> bool:
        pod, node = holder(cluster), leads(cluster)
        if node and (node == on if on else node != off):
            return True
        if node and pod not in sent:
            cluster.kubectl("-n", "voiceroom", "delete", "pod", pod, "--wait=false")
            sent.add(pod)
        return False

    until(fits, 120, "the other one leads")
    rollout = ("rollout", "status", "deployment/voiceroom-operator", "--timeout=90s")
    if sent:
        cluster.kubectl("-n", "voiceroom", *rollout)
