"""What the commands need of a cluster. ``api.py`` has the real one; tests have another, and both
pass the same contract suite."""

from __future__ import annotations

from typing import Any, Protocol

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""


class ClusterError(Exception):
    """The cluster cannot be reached, or refuses; the text says which and what to do."""


class NotFound(ClusterError):
    """There is no such object."""


class Stream(Protocol):
    """One TCP connection to a pod, as a socket has it."""

    def sendall(self, data: bytes) -> None:
        """Blocks until all is taken. Raises ``OSError``."""

    def recv(self, size: int) -> bytes:
        """Blocks; empty at the end. Raises ``OSError``."""

    def close(self) -> None:
        """Both directions."""


class Cluster(Protocol):
    """Every call raises ``ClusterError``; a namespace of None is all of them."""

    @property
    def namespace(self) -> str:
        """Where commands act unless told otherwise."""

    @property
    def inside(self) -> bool:
        """Whether this program runs in a pod of the cluster."""

    def rooms(self, namespace: str | None) -> list[Object]:
        """VoiceRooms, by namespace and name."""

    def room(self, namespace: str, name: str) -> Object:
        """Raises ``NotFound``."""

    def create_room(self, namespace: str, name: str) -> None:
        """One in which every field has its default."""

    def patch_room(self, namespace: str, name: str, patch: Object) -> Object:
        """JSON merge patch (RFC 7386); gives the room as it is then. Raises ``NotFound``."""

    def delete_room(self, namespace: str, name: str) -> None:
        """Raises ``NotFound``."""

    def pools(self, namespace: str | None) -> list[Object]:
        """MixerPools, by namespace and name."""

    def patch_pool(self, namespace: str, name: str, patch: Object) -> Object:
        """JSON merge patch; gives the pool as it is then. Raises ``NotFound``."""

    def mixers(self, namespace: str | None, selector: str = "") -> list[Object]:
        """Mixer pods, by namespace and name; those that the label ``selector`` fits."""

    def node_doors(self, namespace: str) -> list[Object]:
        """Pods of the doors on nodes for faults on order, by name (docs/chaos.md)."""

    def secret(self, namespace: str, name: str, key: str) -> bytes:
        """One entry of a Secret. Raises ``NotFound`` without the Secret or without the entry."""

    def events(self, namespace: str, uid: str) -> list[Object]:
        """What was recorded about an object, the oldest first."""

    def pod_text(self, namespace: str, pod: str, port: int, path: str) -> str:
        """An HTTP GET to a pod, through the API server."""

    def usage(self, namespace: str, pod: str, node: str) -> float | None:
        """CPUs that the pod uses, or None when nothing in the cluster says it."""

    def connect(self, namespace: str, pod: str, port: int) -> Stream:
        """A connection to the pod's port, through the API server."""


def event_time(event: Object) -> str:
    """When it was last seen; RFC 3339, which sorts as text."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
