"""Where pods are reached by clients."""

from __future__ import annotations

from dataclasses import dataclass

from voiceroom_operator.binding.addresses import PodAddresses, advertised
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.cluster.kinds import NODES
from voiceroom_operator.cluster.mirror import Mirror
from voiceroom_operator.round.seen import PodRecord, Seen


@dataclass(frozen=True, slots=True)
class Door:
    """Of one pod."""

    addresses: tuple[str, ...] = ()
    udp: tuple[str, ...] = ()
    """``ADDRESS:PORT`` of each address and media process."""
    peer: str = ""
    """Where other mixers reach the first media process; empty = not yet."""


@dataclass(frozen=True, slots=True)
class _Known:
    made_of: tuple[object, ...]
    door: Door


class Doors:
    """Of all pods; made again when the pod, its node or its pool has changed."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._known: dict[str, dict[str, _Known]] = {}

    def forget(self) -> None:
        """Make all anew."""
        self._known.clear()

    def look(self, seen: Seen) -> dict[str, Door]:
        """By the pod's name."""
        before = self._known.pop(seen.namespace, {})
        now = {name: self._of(seen, pod, before.get(name)) for name, pod in seen.pods.items()}
        if now:
            self._known[seen.namespace] = now
        return {name: known.door for name, known in now.items()}

    def _of(self, seen: Seen, pod: PodRecord, known: _Known | None) -> _Known:
        pool = seen.pools.get(pod.seen.pool)
        node = self._mirror.get(NODES, "", pod.seen.node) if seen.nodes is not None else None
        made_of = (pod.body, pool and pool.read, node)
        if known is not None and all(map(_is, known.made_of, made_of)):
            return known
        known_of, ports = _addresses(pod.body, node), _media_ports(pod.body)
        found = advertised(pool.read.spec.network, known_of) if pool is not None else ()
        udp = tuple(f"{_host(address)}:{port}" for address in found for port in ports)[:16]
        first = known_of.pod_ips[:1] if ports else ()
        return _Known(made_of, Door(found, udp, "".join(f"{_host(a)}:{ports[0]}" for a in first)))


def _is(one: object, other: object) -> bool:
    return one is other


def _addresses(pod: Body, node: Body | None) -> PodAddresses:
    status = pod.get("status") or {}
    return PodAddresses(
        pod_ips=_ips(status.get("podIPs"), status.get("podIP")),
        host_ips=_ips(status.get("hostIPs"), status.get("hostIP")),
        node=None if node is None else _by_type(node),
    )


def _by_type(node: Body) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for entry in (node.get("status") or {}).get("addresses") or ():
        kind = str(entry.get("type"))
        found[kind] = (*found.get(kind, ()), str(entry.get("address")))
    return found


def _media_ports(pod: Body) -> list[int]:
    """Of each media process."""
    containers = (pod.get("spec") or {}).get("containers") or ()
    return [
        port["containerPort"]
        for container in containers
        for port in container.get("ports") or ()
        if str(port.get("name", "")).startswith("media-")
    ]


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _ips(many: object, one: object) -> tuple[str, ...]:
    listed = many if isinstance(many, list) else []
    found = tuple(str(entry["ip"]) for entry in listed if entry.get("ip"))
    return found or ((one,) if isinstance(one, str) and one else ())
