"""Who may reach the mixers of a pool; opt-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceroom_api.poolparts import Network
from voiceroom_operator.children.listeners import ADMIN_PORT, HTTP_PORT, METRICS_PORT
from voiceroom_operator.children.marks import PoolRef, metadata, selector

Peer = dict[str, Any]
"""A NetworkPolicyPeer."""


def network_policy(
    pool: PoolRef,
    network: Network,
    media_processes: int,
    operator: Peer,
    scrapers: list[Peer],
    family: Sequence[str] = (),
) -> dict[str, Any] | None:
    """People reach ``http`` and media from anywhere; ``admin`` is for the operator and the other
    mixers of the pool and of ``family``, its canary or the pool that it is the canary of; metrics
    are for ``scrapers`` (none = anybody).

    None with network.mode HostNetwork: policies do not hold for pods in the node's network.
    """
    if network.mode == "HostNetwork":
        return None
    mixers = [_mixers(name) for name in sorted({pool.name, *family})]
    rules = [
        _rule([], _tcp(HTTP_PORT), _media(network, media_processes)),
        _rule([operator, *mixers], _tcp(ADMIN_PORT)),
        _rule(scrapers, _tcp(METRICS_PORT)),
    ]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(pool, pool.object_name()),
        "spec": {
            "podSelector": {"matchLabels": selector(pool)},
            "policyTypes": ["Ingress"],
            "ingress": rules,
        },
    }


def _mixers(pool: str) -> Peer:
    return {"podSelector": {"matchLabels": selector(PoolRef(pool, "", ""))}}


def _rule(peers: list[Peer], *ports: dict[str, Any]) -> dict[str, Any]:
    return {"from": peers, "ports": list(ports)} if peers else {"ports": list(ports)}


def _tcp(port: int) -> dict[str, Any]:
    return {"protocol": "TCP", "port": port}


def _media(network: Network, media_processes: int) -> dict[str, Any]:
    count = media_processes if network.mode == "PodIP" else network.udp_port_count
    last = network.udp_port + count - 1
    return {"protocol": "UDP", "port": network.udp_port, "endPort": last}
