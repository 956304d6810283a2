"""What the chaos door finds on a node, in memory."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from voiceroom_chaosdoor.kube import KubeError
from voiceroom_chaosdoor.quota import Quota
from voiceroom_chaosdoor.rtnetlink import HANDLE, Interface, Shape
from voiceroom_chaosdoor.shaping import Unsupported
from voiceroom_chaosdoor.target import Target

UID = "0b1c2d3e-1111-2222-3333-444455556666"
TARGET = Target("voice", "stage-0", UID, "c0ffee")


@dataclass
class FakeCgroups:
    """Quotas by path; a path is ``podUID/CONTAINER``. ``refuses``: the kernel says no to writes."""

    quotas: dict[str, Quota] = field(default_factory=dict)
    pids: dict[str, list[int]] = field(default_factory=dict)
    refuses: bool = False

    def container(self, pod_uid: str, container: str) -> str | None:
        """See ``Cgroups``."""
        path = f"pod{pod_uid}/{container}"
        return path if path in self.quotas else None

    def processes(self, pod_uid: str) -> list[int]:
        """See ``Cgroups``."""
        return self.pids.get(pod_uid, [])

    def read(self, path: str) -> Quota | None:
        """See ``Cgroups``."""
        return self.quotas.get(path)

    def write(self, path: str, quota: Quota) -> bool:
        """See ``Cgroups``."""
        if self.refuses:
            raise OSError(errno.EINVAL, "Invalid argument")
        if path in self.quotas:
            self.quotas[path] = quota
        return path in self.quotas


@dataclass
class FakeLinks:
    """One network namespace; ``handles`` of queues by the link's index."""

    links: list[Interface] = field(default_factory=list)
    handles: dict[int, int] = field(default_factory=dict)
    shapes: dict[int, Shape] = field(default_factory=dict)
    has_netem: bool = True

    def interfaces(self) -> list[Interface]:
        """See ``Links``."""
        return self.links

    def roots(self) -> dict[int, int]:
        """See ``Links``."""
        return {link.index: self.handles.get(link.index, 0) for link in self.links}

    def add(self, index: int, shape: Shape) -> None:
        """See ``Links``."""
        if not self.has_netem:
            raise Unsupported(errno.ENOENT, "no netem")
        if self.handles.get(index):
            raise FileExistsError(errno.EEXIST, "File exists")
        self.handles[index], self.shapes[index] = HANDLE, shape

    def remove(self, index: int) -> None:
        """See ``Links``."""
        del self.handles[index], self.shapes[index]


@dataclass
class FakeNamespaces:
    """By process."""

    of_pids: dict[int, FakeLinks] = field(default_factory=dict)

    def of(self, pid: int) -> Any:
        """See ``Namespaces``."""
        found = self.of_pids.get(pid)
        return None if found is None else _lent(found)


@contextmanager
def _lent(links: FakeLinks) -> Iterator[FakeLinks]:
    yield links


@dataclass
class FakeKube:
    """Pods and Secrets by namespace and name. ``down``: nothing answers."""

    pods: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    secrets: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    events: list[Mapping[str, Any]] = field(default_factory=list)
    down: bool = False

    def pod(self, namespace: str, name: str) -> Mapping[str, Any]:
        """See ``Kube``."""
        return self._of(self.pods, namespace, name)

    def secret(self, namespace: str, name: str) -> Mapping[str, Any]:
        """See ``Kube``."""
        return self._of(self.secrets, namespace, name)

    def create_secret(self, namespace: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """See ``Kube``."""
        key = namespace, body["metadata"]["name"]
        if key in self.secrets:
            raise KubeError(409, f"{key[1]} already exists")
        self.secrets[key] = body
        return body

    def create_event(self, namespace: str, body: Mapping[str, Any]) -> None:
        """See ``Kube``."""
        self._check()
        assert body["metadata"]["namespace"] == namespace
        self.events.append(body)

    def _of(
        self, things: Mapping[tuple[str, str], Mapping[str, Any]], namespace: str, name: str
    ) -> Mapping[str, Any]:
        self._check()
        if (namespace, name) not in things:
            raise KubeError(404, f'"{name}" not found')
        return things[namespace, name]

    def _check(self) -> None:
        if self.down:
            raise KubeError(0, "the API server does not answer: refused")


def mixer_pod(name: str = "stage-0", node: str = "here", **metadata: Any) -> dict[str, Any]:
    """As the operator makes it and the kubelet tells of it."""
    owner = {"apiVersion": "voiceroom.dev/v1alpha1", "kind": "MixerPool", "controller": True}
    head = {
        "name": name,
        "namespace": "voice",
        "uid": UID,
        "labels": {
            "app.kubernetes.io/name": "voiceroom",
            "app.kubernetes.io/component": "mixer",
            "voiceroom.dev/pool": "stage",
        },
        "ownerReferences": [owner],
    }
    running = {"name": "mixer", "containerID": "containerd://c0ffee", "state": {"running": {}}}
    status = {"phase": "Running", "containerStatuses": [running]}
    return {"metadata": head | metadata, "spec": {"nodeName": node}, "status": status}
