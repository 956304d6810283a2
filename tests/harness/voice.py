"""voiceroom in a real cluster, as people and kubectl see it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from harness.door import Door
from harness.kubereads import is_known, reads
from harness.listening import POLL
from harness.party import Party, gathering
from localcluster import realtime
from localcluster.cluster import Cluster
from localcluster.failure import ClusterError
from localcluster.own import Own
from voiceroom_kubectl.api import connected
from voiceroom_kubectl.forward import forwarded
from voiceroom_mixer.control.auth import tokens
from voiceroom_mixer.control.auth.keys import parse_keys
from voiceroom_mixer.core.state.legstate import Role

Body = dict[str, Any]
API = "voiceroom.dev/v1alpha1"
LOOK_S = 0.1
_NODE_ADDRESS = 'jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}'
READY_S = 90.0
SMALL = {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "200m"}}
"""Half a CPU is many times what these rooms need; many such pods fit on a small node."""
OFF = {"mode": "Off"}
"""A test that is not about drift moves nobody for what a busy machine does to timers."""


class PodDoor(Door):
    """A mixer pod's signalling, straight to its address."""

    def __init__(self, base: str, keys: str) -> None:
        super().__init__(base)
        self._keys = parse_keys(keys, "the pool's Secret")

    def sign(self, role: Role, room: str = "lobby", identity: str = "tester") -> str:
        """With the keys of the pool."""
        jti = secrets.token_urlsafe(12)
        return tokens.sign(
            self._keys, sub=identity, room=room, role=role, now_s=time.time(), ttl_s=3600, jti=jti
        )


@dataclass(frozen=True)
class Voice:
    """One namespace of a cluster in which the operator runs."""

    cluster: Cluster | Own
    namespace: str
    ends: ExitStack

    @property
    def here(self) -> str:
        """This machine's address, as the nodes see it."""
        listed = self.cluster.kubectl("get", "nodes", "-o", _NODE_ADDRESS)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
            asked.connect((listed.split()[0], 9))
            return str(asked.getsockname()[0])

    @property
    def machine(self) -> Cluster:
        """The cluster of this machine; the test is skipped on another one."""
        if isinstance(self.cluster, Own):
            pytest.skip("needs a cluster of this machine, and KUBECONFIG names another")
        return self.cluster

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """In the namespace. Raises: ClusterError with what kubectl said."""
        return self.cluster.kubectl("--namespace", self.namespace, *arguments, stdin=stdin)

    def get(self, kind: str, name: str) -> Body:
        """One object. Raises: ClusterError when it is not there."""
        if is_known(kind):
            return reads(self.cluster.kubeconfig).get(self.namespace, kind, name)
        found: Body = json.loads(self.kubectl("get", kind, name, "-o", "json"))
        return found

    def all(self, kind: str, selector: str = "") -> list[Body]:
        """All of a kind."""
        if is_known(kind):
            return reads(self.cluster.kubeconfig).all(self.namespace, kind, selector)
        chosen = ("--selector", selector) if selector else ()
        found = json.loads(self.kubectl("get", kind, *chosen, "-o", "json"))
        return list(found["items"])

    def apply(self, *objects: Body) -> str:
        """What kubectl said."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        return self.kubectl("apply", "-f", "-", stdin=json.dumps(listed))

    # rooms and pools

    def room(self, name: str, **spec: Any) -> str:
        """Apply a VoiceRoom."""
        return self.apply(room(name, **spec))

    def pool(self, name: str, **spec: Any) -> str:
        """Apply a MixerPool; one pod and no spare, unless ``spec`` says otherwise."""
        usual = {"size": {"min": 1, "max": 4, "spare": 0}, "resources": SMALL, "remediation": OFF}
        return self.apply(_object("MixerPool", name, usual | spec))

    def status(self, room: str) -> Body:
        """Of a VoiceRoom; empty while it has none."""
        return dict(self.get("voiceroom", room).get("status") or {})

    def condition(self, kind: str, name: str, of: str) -> Mapping[str, Any]:
        """One condition of an object; empty while there is none."""
        status = self.get(kind, name).get("status") or {}
        found = [entry for entry in status.get("conditions", []) if entry["type"] == of]
        return found[0] if found else {}

    def is_ready(self, room: str) -> bool:
        """People can join; its timers may be bad meanwhile (phase Degraded)."""
        return self.condition("voiceroom", room, "Ready").get("status") == "True"

    def reads(self, kind: str, name: str, of: str, status: str, reason: str, **how: float) -> str:
        """Wait until a condition says so; its message."""
        said: Mapping[str, Any] = {}

        def holds() -> bool:
            nonlocal said
            said = self.condition(kind, name, of)
            return (said.get("status"), said.get("reason")) == (status, reason)

        try:
            until(holds, how.get("within_s", READY_S), f"{kind} {name}: {of}={status} {reason}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it says {dict(said)}") from None
        return str(said["message"])

    def ready(self, *rooms: str, within_s: float = READY_S) -> None:
        """Until they are."""
        for name in rooms:
            try:
                wanted = ("--for=condition=Ready", f"voiceroom/{name}", f"--timeout={within_s}s")
                self.kubectl("wait", *wanted)
            except ClusterError as error:
                raise AssertionError(f"{error}: {self.status(name)}") from error

    # pods

    def pods(self, pool: str = "default") -> dict[str, Body]:
        """Mixer pods of a pool, by name."""
        found = self.all("pods", f"voiceroom.dev/pool={pool}")
        return {pod["metadata"]["name"]: pod for pod in found}

    def uids(self, pool: str = "default") -> dict[str, str]:
        """Of the pool's pods."""
        return {name: pod["metadata"]["uid"] for name, pod in self.pods(pool).items()}

    def owner(self, room: str) -> str:
        """The pod that a room is bound to."""
        return str(self.status(room).get("podName", ""))

    def door(self, room: str, pod: str = "") -> PodDoor:
        """The signalling of the room's pod, or of another one of its pool."""
        body = self.get("pod", pod or self.owner(room))
        pool = body["metadata"]["labels"]["voiceroom.dev/pool"]
        return PodDoor(self._signalling(body), self.keys(pool))

    def _signalling(self, pod: Body) -> str:
        """Pods of this machine's clusters are reached from it, others by a forwarded port."""
        if isinstance(self.cluster, Cluster):
            return f"http://{pod['status']['podIP']}:{_http_port(pod)}"
        return self.ends.enter_context(self.forwarded(pod))

    @contextmanager
    def forwarded(self, pod: Body) -> Iterator[str]:
        """A pod's signalling at 127.0.0.1, where browsers give a page its microphone."""
        api, name = connected(str(self.cluster.kubeconfig), None), pod["metadata"]["name"]
        way = forwarded(lambda: api.connect(self.namespace, name, _http_port(pod)), 0, print)
        with way as port:
            yield f"http://127.0.0.1:{port}"

    def keys(self, pool: str = "default") -> str:
        """``keys.json`` of the pool's Secret."""
        return b64decode(self.get("secret", f"voiceroom-{pool}")["data"]["keys.json"]).decode()

    def kill(self, pod: str) -> None:
        """SIGKILL to the container's first process, from outside: its own kernel would not."""
        body = self.get("pod", pod)
        number = body["spec"]["nodeName"]
        node = next(node for node in self.machine.layout.nodes if node.name == number)
        container = body["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
        folders = realtime.container_cgroups(node, body["metadata"]["uid"])
        folder = next(folder for folder in folders if folder.name == container)
        os.kill(int((folder / "cgroup.procs").read_text().split()[0]), signal.SIGKILL)

    @contextmanager
    def people(self, room: str, pod: str = "") -> Iterator[Party[PodDoor]]:
        """A party in the room, over at the end."""
        with gathering(self.door(room, pod), room) as party:
            yield party

    def reasons(self) -> set[str]:
        """Of all Events in the namespace."""
        return {event["reason"] for event in self.all("events")}


def room(name: str, **spec: Any) -> Body:
    """A VoiceRoom."""
    return _object("VoiceRoom", name, spec)


def _object(kind: str, name: str, spec: Mapping[str, Any]) -> Body:
    return {"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}


def _http_port(pod: Body) -> int:
    ports = pod["spec"]["containers"][0]["ports"]
    return next(int(port["containerPort"]) for port in ports if port["name"] == "http")


def until(holds: Callable[[], object], within_s: float, what: str) -> float:
    """Ask again and again; how long it took in seconds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < within_s, f"not within {within_s} s: {what}"
        POLL.wait(LOOK_S)
    return time.monotonic() - began


@contextmanager
def namespace(cluster: Cluster | Own, name: str) -> Iterator[Voice]:
    """A namespace of its own; at the end its rooms and its pools are deleted, and itself begins to
    go."""
    with suppress(ClusterError):  # of an earlier test, or there never was one
        cluster.kubectl("wait", "--for=delete", f"namespace/{name}", "--timeout=120s")
    cluster.kubectl("create", "namespace", name)
    with ExitStack() as ends:
        voice = Voice(cluster, name, ends)
        try:
            yield voice
        finally:
            _remove(voice)


def _remove(voice: Voice) -> None:
    with suppress(ClusterError):  # it may be gone already
        voice.kubectl("delete", "voicerooms", "--all", "--timeout=60s")
        voice.kubectl("delete", "mixerpools", "--all", "--timeout=120s")
        # What is empty goes by itself within seconds, for which the next test need not wait.
        voice.cluster.kubectl("delete", "namespace", voice.namespace, "--wait=false")
