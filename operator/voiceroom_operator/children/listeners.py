"""The ports that a mixer in a pod listens on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api.poolparts import Network

HTTP_PORT: Final = 8080
ADMIN_PORT: Final = 8443
METRICS_PORT: Final = 9464


@dataclass(frozen=True, slots=True)
class Listeners:
    """Of one pod."""

    http: int
    admin: int
    metrics: int
    udp: int
    """Of media process 0; process i has ``udp`` + i."""


def listeners(network: Network, block: tuple[int, ...]) -> Listeners:
    """``block``: the ports of the node that were dealt to the pod; none with mode PodIP.

    In the node's own network all listeners take theirs from the block: TCP and UDP count apart.
    """
    if network.mode == "HostNetwork":
        return Listeners(http=block[0], admin=block[1], metrics=block[2], udp=block[0])
    udp = block[0] if network.mode == "HostPort" else network.udp_port
    return Listeners(HTTP_PORT, ADMIN_PORT, METRICS_PORT, udp)


def container_ports(
    network: Network, ports: Listeners, media_processes: int
) -> list[dict[str, Any]]:
    """As in a container; a port of the node has the same number as the container's, which is what
    ICE candidates need."""
    host_tcp = network.mode == "HostNetwork"
    host_udp = network.mode != "PodIP"
    tcp = (("http", ports.http), ("admin", ports.admin), ("metrics", ports.metrics))
    return [_port(name, port, "TCP", host_tcp) for name, port in tcp] + [
        _port(f"media-{i}", ports.udp + i, "UDP", host_udp) for i in range(media_processes)
    ]


def _port(name: str, port: int, protocol: str, on_host: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": name, "containerPort": port, "protocol": protocol}
    return entry | {"hostPort": port} if on_host else entry
