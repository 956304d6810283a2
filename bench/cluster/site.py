"""A cluster of the bench's own with one operator and one pool."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from bench.cluster.apiserver import Client, proxy
from bench.cluster.meter import Operator
from bench.cluster.settings import Settings
from bench.cluster.watching import Watch
from bench.errors import BenchError
from images import cache
from images.cache import BuildError
from images.voiceroom import voiceroom_image
from localcluster import cluster, voiceroom
from localcluster.cluster import Cluster
from localcluster.failure import ClusterError
from localcluster.layout import Node
from localcluster.voiceroom import Helm

NAMESPACE: Final = "bench"
OPTIONS: Final = (
    "--set=operator.replicas=1",
    "--set=operator.logLevel=warning",
    # Where twenty mixers want more than there is, it gets as much of it as ten of them.
    "--set=operator.resources.requests.cpu=200m",
)
PODS_WAIT_S: Final = 900
RESOURCES: Final = {
    "requests": {"cpu": "20m", "memory": "192Mi"},
    "limits": {"cpu": "1", "memory": "256Mi"},
}


@dataclass(frozen=True)
class Site:
    """All that cases need."""

    settings: Settings
    cluster: Cluster
    client: Client
    watch: Watch
    operator: Operator
    mixers: tuple[tuple[Node, str], ...]
    """Node and uid of each mixer pod."""


@contextmanager
def site(settings: Settings) -> Iterator[Site]:
    """Up for the time of the block, and down in any case. Raises: BenchError."""
    name = f"bench-{os.getpid()}"
    try:
        with _built(settings, name) as made:
            yield made
    except (ClusterError, BuildError) as error:
        raise BenchError(str(error)) from error
    finally:
        cluster.down(name)


@contextmanager
def _built(settings: Settings, name: str) -> Iterator[Site]:
    image = voiceroom_image(cache.folder())
    made = cluster.up(name)
    made.load(image.archive)
    voiceroom.upgrade(Helm(made), image.reference, *OPTIONS)
    made.kubectl("create", "namespace", NAMESPACE)
    made.kubectl("--namespace", NAMESPACE, "apply", "-f", "-", stdin=json.dumps(_pool(settings)))
    _await_pods(made, settings.pods)
    with proxy(made.kubeconfig) as port:
        client = Client(port, NAMESPACE)
        watch = Watch(port, client.rooms())
        watch.start()
        yield Site(settings, made, client, watch, _operator(made), _mixers(made))
        client.close()


def _pool(settings: Settings) -> dict[str, Any]:
    spec = {
        "size": {"min": settings.pods, "max": settings.pods, "spare": 0},
        "capacity": {"rooms": 200, "participants": 500},
        "resources": RESOURCES,
        # Twenty mixers on a few CPUs: their timers are bad, and that is not the subject.
        "remediation": {"mode": "Off"},
    }
    head = {"apiVersion": "voiceroom.dev/v1alpha1", "kind": "MixerPool"}
    return head | {"metadata": {"name": "default"}, "spec": spec}


def _await_pods(made: Cluster, pods: int) -> None:
    wanted = (f"--for=jsonpath={{.status.pods.ready}}={pods}", f"--timeout={PODS_WAIT_S}s")
    made.kubectl("--namespace", NAMESPACE, "wait", "mixerpool/default", *wanted)


def _pods(made: Cluster, namespace: str, selector: str) -> list[dict[str, Any]]:
    found = made.kubectl("-n", namespace, "get", "pods", "-l", selector, "-o", "json")
    return list(json.loads(found)["items"])


def _place(made: Cluster, pod: dict[str, Any]) -> tuple[Node, str]:
    number = pod["spec"]["nodeName"]
    node = next(node for node in made.layout.nodes if node.name == number)
    return node, pod["metadata"]["uid"]


def _mixers(made: Cluster) -> tuple[tuple[Node, str], ...]:
    return tuple(_place(made, pod) for pod in _pods(made, NAMESPACE, "voiceroom.dev/pool=default"))


def _operator(made: Cluster) -> Operator:
    component = "app.kubernetes.io/component=operator"
    (pod,) = _pods(made, voiceroom.NAMESPACE, component)
    ports = pod["spec"]["containers"][0]["ports"]
    port = next(each["containerPort"] for each in ports if each["name"] == "http")
    return Operator(*_place(made, pod), f"http://{pod['status']['podIP']}:{port}/metrics")
