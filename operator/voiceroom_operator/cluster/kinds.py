"""The kinds of objects that the operator handles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from voiceroom_api import names


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind, and where the API server has it."""

    group: str
    """Empty = the core group."""
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As in objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str, name: str = "", subresource: str = "") -> str:
        """Of the API server's URL. ``namespace`` empty = all of them."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        within = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        steps = [part for part in (self.plural, name, subresource) if part]
        return f"{root}{within}/{'/'.join(steps)}"


ROOMS: Final = Kind(names.GROUP, names.VERSION, "voicerooms", names.VOICE_ROOM)
POOLS: Final = Kind(names.GROUP, names.VERSION, "mixerpools", names.MIXER_POOL)
PODS: Final = Kind("", "v1", "pods", "Pod")
NODES: Final = Kind("", "v1", "nodes", "Node", namespaced=False)
SERVICES: Final = Kind("", "v1", "services", "Service")
SECRETS: Final = Kind("", "v1", "secrets", "Secret")
EVENTS: Final = Kind("", "v1", "events", "Event")
BUDGETS: Final = Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
POLICIES: Final = Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
LEASES: Final = Kind("coordination.k8s.io", "v1", "leases", "Lease")

WATCHED: Final = (ROOMS, POOLS, PODS, NODES)
POD_SELECTOR: Final = (
    "app.kubernetes.io/name=voiceroom,app.kubernetes.io/component=mixer,"
    "app.kubernetes.io/managed-by=voiceroom-operator"
)


def selector_of(kind: Kind) -> str:
    """Which objects of the kind are looked at."""
    return POD_SELECTOR if kind is PODS else ""
