"""Which pods the door touches: mixers of voiceroom pools, on its own node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names
from voiceroom_chaosdoor.refusal import Refused

CONTAINER: Final = "mixer"
_LABELS: Final = {"app.kubernetes.io/name": "voiceroom", "app.kubernetes.io/component": "mixer"}


@dataclass(frozen=True, slots=True)
class Target:
    """A mixer pod that runs here."""

    namespace: str
    pod: str
    uid: str
    container: str
    """The runtime's id of its mixer."""
    host_network: bool = False


def read(pod: Mapping[str, Any], node: str) -> Target:
    """Of the Pod as the API server has it. Raises ``Refused`` 404, 422."""
    metadata, spec = pod["metadata"], pod.get("spec", {})
    name = metadata["name"]
    if not _is_mixer(metadata):
        raise Refused(422, "not_a_mixer", f"the pod {name} is no mixer of a voiceroom pool")
    if spec.get("nodeName") != node:
        there = spec.get("nodeName") or "no node yet"
        raise Refused(404, "not_here", f"the pod {name} is on {there}, and this door on {node}")
    container = _running(pod.get("status", {}))
    if not container:
        raise Refused(409, "not_running", f"the mixer of the pod {name} does not run: try again")
    host_network = bool(spec.get("hostNetwork"))
    return Target(metadata["namespace"], name, metadata["uid"], container, host_network)


def _is_mixer(metadata: Mapping[str, Any]) -> bool:
    labels = metadata.get("labels") or {}
    group = f"{names.GROUP}/"
    return (
        labels.items() >= _LABELS.items()
        and bool(labels.get(names.POOL_LABEL))
        and any(
            owner.get("controller")
            and owner.get("kind") == names.MIXER_POOL
            and str(owner.get("apiVersion")).startswith(group)
            for owner in metadata.get("ownerReferences") or ()
        )
    )


def _running(status: Mapping[str, Any]) -> str:
    """``containerd://ID`` without its head; empty = it does not run."""
    for one in status.get("containerStatuses") or ():
        if one.get("name") == CONTAINER and "running" in (one.get("state") or {}):
            return str(one.get("containerID", "")).rpartition("//")[2]
    return ""
