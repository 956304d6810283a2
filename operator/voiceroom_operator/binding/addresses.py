"""At which addresses clients reach the media of a pod."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voiceroom_api.poolparts import Network

_NODE_TYPES: Final = {"NodeExternalIP": "ExternalIP", "NodeInternalIP": "InternalIP"}
_UNSET: Final = ("NodeExternalIP", "NodeInternalIP")


@dataclass(frozen=True, slots=True)
class PodAddresses:
    """What the cluster says of a pod and its node."""

    pod_ips: tuple[str, ...] = ()
    host_ips: tuple[str, ...] = ()
    """Of the pod's status: all that is known when nodes may not be read."""
    node: Mapping[str, tuple[str, ...]] | None = None
    """The node's addresses by their type; None when nodes may not be read."""


def advertised(network: Network, known: PodAddresses) -> tuple[str, ...]:
    """Literals, in the order of ``network.advertise``; empty until the pod has an address.

    Unset: the pod's own with mode PodIP, else the node's external ones, else its internal ones.
    """
    if not network.advertise and network.mode == "PodIP":
        return known.pod_ips
    if not network.advertise:
        return next((found for word in _UNSET if (found := _of(word, known))), ())
    literals = [address for word in network.advertise for address in _of(word, known)]
    return tuple(dict.fromkeys(literals))


def _of(word: str, known: PodAddresses) -> tuple[str, ...]:
    if word == "PodIP":
        return known.pod_ips
    if word not in _NODE_TYPES:
        return (word,)
    if known.node is None:
        return known.host_ips if word == "NodeInternalIP" else ()
    return known.node.get(_NODE_TYPES[word], ())
