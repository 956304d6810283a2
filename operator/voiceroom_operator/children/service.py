"""One address for all rooms of a pool: signalling may reach any of its pods."""

from __future__ import annotations

from typing import Any

from voiceroom_operator.children.marks import PoolRef, metadata, selector


def service(pool: PoolRef) -> dict[str, Any]:
    """Service ``voiceroom-POOL``, port ``http``. The port of each pod is found by its name, since
    with network.mode HostNetwork every pod has another."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(pool, pool.object_name()),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(pool),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }
