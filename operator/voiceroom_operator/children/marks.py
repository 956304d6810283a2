"""Labels, names and owners that all objects of a pool share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names

COMPONENT: Final = "mixer"
REVISION_LABEL: Final = "voiceroom.dev/revision"
DRAIN_ANNOTATION: Final = "voiceroom.dev/draining"
"""Of a pod: ``SECONDS REASON``, since when (Unix time) and why it is taken out of service."""
IDLE_SINCE_ANNOTATION: Final = "voiceroom.dev/idle-since"
"""Of a pod: Unix time in seconds."""
PORTS_ANNOTATION: Final = "voiceroom.dev/ports"
"""Of a pod: ``FIRST-LAST``, the ports of its node that were dealt to it."""

AVOIDS_ANNOTATION: Final = "voiceroom.dev/avoids"
"""Of a pod: nodes, divided by commas, that it was made not to be placed on."""


@dataclass(frozen=True, slots=True)
class PoolRef:
    """The MixerPool that owns the objects."""

    name: str
    namespace: str
    uid: str

    def object_name(self) -> str:
        """Of its Service, Secret and other single objects."""
        return f"voiceroom-{self.name}"


def labels(pool: PoolRef) -> dict[str, str]:
    """Of every object of the pool; the first three select its pods and never change."""
    return selector(pool) | {
        "app.kubernetes.io/part-of": "voiceroom",
        "app.kubernetes.io/managed-by": "voiceroom-operator",
    }


def selector(pool: PoolRef) -> dict[str, str]:
    """Selects the pool's pods."""
    return {
        "app.kubernetes.io/name": "voiceroom",
        "app.kubernetes.io/component": COMPONENT,
        names.POOL_LABEL: pool.name,
    }


def metadata(pool: PoolRef, name: str) -> dict[str, Any]:
    """Of an object that goes when its pool goes."""
    return {
        "name": name,
        "namespace": pool.namespace,
        "labels": labels(pool),
        "ownerReferences": [owner(pool)],
    }


def belongs_to(body: Mapping[str, Any], pool: PoolRef) -> bool:
    """Whether an object is the pool's: by its owner; by its labels where a backup brought it back
    under another owner's uid."""
    found = body["metadata"]
    if any(one.get("uid") == pool.uid for one in found.get("ownerReferences") or ()):
        return True
    return bool((found.get("labels") or {}).items() >= labels(pool).items())


def owner(pool: PoolRef) -> dict[str, Any]:
    """The pool's finalizer keeps it until its pods have gone, so nothing else needs to block."""
    return {
        "apiVersion": names.API_VERSION,
        "kind": names.MIXER_POOL,
        "name": pool.name,
        "uid": pool.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
