"""A cluster in memory for the commands of ``kubectl voiceroom``."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from voiceroom_api import names
from voiceroom_kubectl.cluster import ClusterError, NotFound, Object, Stream, event_time

CREATED = "2026-03-01T12:00:00Z"


def room(name: str, namespace: str = "default", **parts: Any) -> Object:
    """A VoiceRoom; ``spec`` and ``status`` as given."""
    metadata = {
        "name": name,
        "namespace": namespace,
        "uid": f"uid-{namespace}-{name}",
        "creationTimestamp": CREATED,
    }
    head = {"apiVersion": "voiceroom.dev/v1alpha1", "kind": "VoiceRoom", "metadata": metadata}
    return head | {"spec": {}} | parts


def merged(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7386 §2)."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


@dataclass
class FakeCluster:
    """``things`` by namespace and name; ``texts`` by pod and path; ``doors`` are listening ports
    that connections to pods end at."""

    namespace: str = "default"
    inside: bool = False
    voicerooms: dict[tuple[str, str], Object] = field(default_factory=dict)
    mixerpools: dict[tuple[str, str], Object] = field(default_factory=dict)
    pods: dict[tuple[str, str], Object] = field(default_factory=dict)
    secrets: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    recorded: list[Object] = field(default_factory=list)
    texts: dict[tuple[str, str], Callable[[], str]] = field(default_factory=dict)
    cpus: dict[str, float] = field(default_factory=dict)
    doors: dict[tuple[str, int], int] = field(default_factory=dict)
    on_create: Callable[[Object], None] = lambda _room: None

    def add(self, *rooms: Object) -> FakeCluster:
        """VoiceRooms."""
        for one in rooms:
            self.voicerooms[one["metadata"]["namespace"], one["metadata"]["name"]] = one
        return self

    def rooms(self, namespace: str | None) -> list[Object]:
        """See ``Cluster``."""
        return _of(self.voicerooms, namespace)

    def room(self, namespace: str, name: str) -> Object:
        """See ``Cluster``."""
        return deepcopy(_found(self.voicerooms, namespace, name, "voicerooms.voiceroom.dev"))

    def create_room(self, namespace: str, name: str) -> None:
        """See ``Cluster``."""
        if (namespace, name) in self.voicerooms:
            raise ClusterError(f'voicerooms.voiceroom.dev "{name}" already exists (HTTP 409)')
        made = room(name, namespace)
        self.on_create(made)
        self.add(made)

    def patch_room(self, namespace: str, name: str, patch: Object) -> Object:
        """See ``Cluster``."""
        changed = merged(self.room(namespace, name), patch)
        assert isinstance(changed, dict)
        self.voicerooms[namespace, name] = changed
        return deepcopy(changed)

    def delete_room(self, namespace: str, name: str) -> None:
        """See ``Cluster``."""
        self.room(namespace, name)
        del self.voicerooms[namespace, name]

    def pools(self, namespace: str | None) -> list[Object]:
        """See ``Cluster``."""
        return _of(self.mixerpools, namespace)

    def patch_pool(self, namespace: str, name: str, patch: Object) -> Object:
        """See ``Cluster``."""
        found = deepcopy(_found(self.mixerpools, namespace, name, "mixerpools.voiceroom.dev"))
        changed = merged(found, patch)
        assert isinstance(changed, dict)
        self.mixerpools[namespace, name] = changed
        return deepcopy(changed)

    def mixers(self, namespace: str | None, selector: str = "") -> list[Object]:
        """See ``Cluster``; of selectors it knows ``key=value`` and commas."""
        wanted = dict(part.split("=", 1) for part in selector.split(",") if part)
        return [
            pod
            for pod in _of(self.pods, namespace)
            if wanted.items() <= pod["metadata"].get("labels", {}).items()
        ]

    def node_doors(self, namespace: str) -> list[Object]:
        """See ``Cluster``."""
        return self.mixers(namespace, f"app.kubernetes.io/component={names.CHAOS_COMPONENT}")

    def secret(self, namespace: str, name: str, key: str) -> bytes:
        """See ``Cluster``."""
        found = self.secrets.get((namespace, name))
        if found is None:
            raise NotFound(f'secrets "{name}" not found')
        if key not in found:
            raise NotFound(f"the Secret {namespace}/{name} has no entry {key}")
        return found[key]

    def events(self, namespace: str, uid: str) -> list[Object]:
        """See ``Cluster``."""
        found = [one for one in self.recorded if one["involvedObject"]["uid"] == uid]
        return sorted(found, key=event_time)

    def pod_text(self, namespace: str, pod: str, port: int, path: str) -> str:
        """See ``Cluster``."""
        if (pod, path) not in self.texts:
            raise ClusterError(f"dial {pod}:{port}: connection refused (HTTP 503)")
        return self.texts[pod, path]()

    def usage(self, namespace: str, pod: str, node: str) -> float | None:
        """See ``Cluster``."""
        return self.cpus.get(pod)

    def connect(self, namespace: str, pod: str, port: int) -> Stream:
        """See ``Cluster``."""
        if (pod, port) not in self.doors:
            raise ClusterError(f"port {port} of the pod {pod}: not found")
        return socket.create_connection(("127.0.0.1", self.doors[pod, port]))


def _of(things: Mapping[tuple[str, str], Object], namespace: str | None) -> list[Object]:
    chosen = sorted(key for key in things if namespace in (None, key[0]))
    return [deepcopy(things[key]) for key in chosen]


def _found(
    things: Mapping[tuple[str, str], Object], namespace: str, name: str, kind: str
) -> Object:
    if (namespace, name) not in things:
        raise NotFound(f'{kind} "{name}" not found')
    return things[namespace, name]
