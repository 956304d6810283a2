"""The door on a mixer's node for faults on order (docs/chaos.md): over a forwarded port, since it
listens on its pod's loopback only, with the token of its Secret."""

from __future__ import annotations

import http.client
from typing import Final

from voiceroom_api import names
from voiceroom_kubectl.cluster import Cluster, ClusterError, NotFound, Object
from voiceroom_kubectl.reach import is_ready
from voiceroom_kubectl.report import TIMEOUT_S, Answer, Call, exchange, named_port

ORDERS_PORT_NAME: Final = "orders"
_WAY_OUT: Final = "switch the chart's value chaos.node.enabled on, or say --door-namespace"


def ask(cluster: Cluster, namespace: str, pod: Object, call: Call) -> Answer:
    """``call.path`` has ``{namespace}`` and ``{pod}`` for those of the mixer; ``namespace`` is the
    doors'. Raises ``ClusterError`` when no door is there, or it does not answer."""
    door = _of(cluster, namespace, pod["spec"].get("nodeName", ""))
    metadata = pod["metadata"]
    path = call.path.format(namespace=metadata["namespace"], pod=metadata["name"])
    bearer = _bearer(cluster, namespace)
    number = named_port(door, ORDERS_PORT_NAME)

    def over(port: int) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)

    return exchange(cluster, door, number, over, Call(call.method, path, call.body), bearer)


def _of(cluster: Cluster, namespace: str, node: str) -> Object:
    for door in cluster.node_doors(namespace):
        ends = "deletionTimestamp" in door["metadata"]
        if door["spec"].get("nodeName") == node and is_ready(door) and not ends:
            return door
    raise ClusterError(f"no door is ready on the node {node} in {namespace}: {_WAY_OUT}")


def _bearer(cluster: Cluster, namespace: str) -> str:
    try:
        return cluster.secret(namespace, names.CHAOS_SECRET, "token").decode().strip()
    except NotFound as error:
        raise ClusterError(f"{error}: the doors make it within 30 s") from error
