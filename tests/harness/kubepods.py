"""Small pods for tests of a cluster on this machine: busybox with a shell command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcluster import images, realtime
from localcluster.cluster import Cluster
from localcluster.layout import Node


@dataclass(frozen=True)
class Wanted:
    """A pod of one container; `cpu` is its limit, and its request."""

    name: str
    node: str
    command: str = "sleep 100000"
    cpu: str = "100m"
    runtime_class: str | None = None
    ports: list[dict[str, Any]] = field(default_factory=list)

    def manifest(self) -> str:
        """As kubectl takes it."""
        container = {
            "name": "main",
            "image": images.busybox().name,
            "imagePullPolicy": "Never",
            "command": ["/bin/sh", "-c", self.command],
            "resources": {"limits": {"cpu": self.cpu, "memory": "32Mi"}},
            "ports": self.ports,
        }
        spec = {
            "nodeName": self.node,
            "runtimeClassName": self.runtime_class,
            # Not 0, with which the object goes at once, before what ran in it has ended.
            "terminationGracePeriodSeconds": 1,
            "containers": [container],
        }
        metadata = {"name": self.name, "labels": {"app": self.name}}
        return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


@dataclass(frozen=True)
class Pod:
    """A pod that is Ready."""

    cluster: Cluster
    name: str
    uid: str
    node: Node

    def run(self, *command: str) -> str:
        """What a command printed in it."""
        return self.cluster.kubectl("exec", self.name, "--", *command)

    def cgroup(self) -> Path:
        """The cgroup of its container (not of the sandbox), in the hierarchy of `cpu`."""
        told = "jsonpath={.status.containerStatuses[0].containerID}"
        container = self.cluster.kubectl("get", "pod", self.name, "-o", told).rpartition("/")[2]
        found = realtime.container_cgroups(self.node, self.uid)
        return next(folder for folder in found if folder.name == container)

    def process(self) -> int:
        """Its first process, as this machine numbers it."""
        return int((self.cgroup() / "cgroup.procs").read_text().split()[0])


@contextmanager
def pod(cluster: Cluster, wanted: Wanted) -> Iterator[Pod]:
    """The pod, Ready, for the time of the block."""
    cluster.kubectl("create", "-f", "-", stdin=wanted.manifest())
    try:
        ready = ("--for=condition=Ready", f"pod/{wanted.name}", "--timeout=60s")
        cluster.kubectl("wait", *ready)
        uid = cluster.kubectl("get", "pod", wanted.name, "-o", "jsonpath={.metadata.uid}")
        node = next(node for node in cluster.layout.nodes if node.name == wanted.node)
        yield Pod(cluster, wanted.name, uid, node)
    finally:
        cluster.kubectl("delete", "pod", wanted.name, "--wait=true", "--timeout=60s")
