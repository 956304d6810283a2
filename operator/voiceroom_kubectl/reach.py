"""How this machine reaches the signalling of a room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from voiceroom_kubectl.cluster import Cluster, ClusterError, Object, Stream
from voiceroom_kubectl.forward import forwarded
from voiceroom_kubectl.tokens import pool_of

HTTP_PORT_NAME = "http"
_POOL_LABEL = "voiceroom.dev/pool"


@contextmanager
def signalling(
    cluster: Cluster,
    room: Object,
    *,
    port: int,
    url: str | None,
    refused: Callable[[str], None],
) -> Iterator[str]:
    """The address that requests for the room may be sent to, until the end of the block: ``url``
    where one is given, in a pod the pool's Service, else a port of this machine that leads to a
    mixer. Raises ``ClusterError``."""
    namespace = room["metadata"]["namespace"]
    if url is not None:
        yield url
    elif cluster.inside:
        yield f"http://voiceroom-{pool_of(room)}.{namespace}.svc"
    else:
        name, number = door(cluster, room)

        def connect() -> Stream:
            return cluster.connect(namespace, name, number)

        with _listening(connect, port, refused) as here:
            yield f"http://127.0.0.1:{here}"


@contextmanager
def _listening(
    connect: Callable[[], Stream], port: int, refused: Callable[[str], None]
) -> Iterator[int]:
    opened = forwarded(connect, port, refused)
    try:
        here = opened.__enter__()
    except OSError as error:
        raise ClusterError(f"port {port} of this machine: {error.strerror}") from error
    try:
        yield here
    finally:
        opened.__exit__(None, None, None)


def door(cluster: Cluster, room: Object) -> tuple[str, int]:
    """Pod and port: the room's own pod, or else any Ready one of its pool, which knows the way.

    Raises ``ClusterError``.
    """
    namespace, pool = room["metadata"]["namespace"], pool_of(room)
    pods = [
        pod
        for pod in cluster.mixers(namespace)
        if pod["metadata"].get("labels", {}).get(_POOL_LABEL) == pool and http_port(pod)
    ]
    own = room.get("status", {}).get("podName")
    chosen = next((pod for pod in pods if pod["metadata"]["name"] == own), None)
    chosen = chosen or next((pod for pod in pods if is_ready(pod)), None)
    if chosen is None:
        raise ClusterError(f"no pod of the pool {pool} is ready: kubectl voiceroom pools")
    return chosen["metadata"]["name"], http_port(chosen)


def http_port(pod: Object) -> int:
    """Of its signalling; 0 when it has none."""
    for container in pod.get("spec", {}).get("containers", []):
        for port in container.get("ports", []):
            if port.get("name") == HTTP_PORT_NAME:
                return int(port["containerPort"])
    return 0


def is_ready(pod: Object) -> bool:
    """By its own condition."""
    found = pod.get("status", {}).get("conditions", [])
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in found)
