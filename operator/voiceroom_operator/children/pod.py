"""A mixer pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names
from voiceroom_api.duration import parse_duration
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_operator.children.container import mixer_container, volumes
from voiceroom_operator.children.family import head
from voiceroom_operator.children.listeners import listeners
from voiceroom_operator.children.marks import (
    AVOIDS_ANNOTATION,
    PORTS_ANNOTATION,
    REVISION_LABEL,
    PoolRef,
    metadata,
    selector,
)
from voiceroom_operator.children.placing import affinity, spread
from voiceroom_operator.children.security import pod_security

PRE_STOP_S: Final = 2
"""How long a pod that ends still serves as before, until nobody is sent to it any more."""
CLOSE_S: Final = 30
"""What is left after the drain deadline to close what remains."""


@dataclass(frozen=True, slots=True)
class PodDefaults:
    """What the operator is configured with, for pools that do not say."""

    image: str
    image_pull_policy: str = "IfNotPresent"
    service_account: str = "default"
    chaos: bool = False
    """Mixers take faults on order."""


def pod(
    pool: PoolRef,
    spec: MixerPoolSpec,
    name: str,
    block: tuple[int, ...],
    revision: str,
    defaults: PodDefaults,
    avoid_nodes: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The Pod ``name``; ``block``: its ports of the node; ``avoid_nodes``: not to be placed on."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(pool, spec, name, block, revision, avoid_nodes),
        "spec": _optional(spec)
        | {
            "restartPolicy": "Always",
            "serviceAccountName": defaults.service_account,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "hostNetwork": spec.network.mode == "HostNetwork",
            "terminationGracePeriodSeconds": grace_s(spec),
            "securityContext": pod_security(spec),
            "topologySpreadConstraints": spread(spec, selector(pool)),
            "affinity": affinity(spec, avoid_nodes),
            "containers": [
                mixer_container(
                    spec,
                    image=spec.image or defaults.image,
                    pull_policy=spec.image_pull_policy or defaults.image_pull_policy,
                    ports=listeners(spec.network, block),
                    pre_stop_s=PRE_STOP_S,
                    chaos=defaults.chaos,
                )
            ],
            "volumes": volumes(head(pool, spec).object_name()),
        },
    }


def grace_s(spec: MixerPoolSpec) -> int:
    """Seconds between the order to end and the kill: the whole drain fits in."""
    return PRE_STOP_S + parse_duration(spec.drain.deadline) + CLOSE_S


def _metadata(
    pool: PoolRef,
    spec: MixerPoolSpec,
    name: str,
    block: tuple[int, ...],
    revision: str,
    avoid_nodes: tuple[str, ...],
) -> dict[str, Any]:
    common = metadata(pool, name)
    ports = {PORTS_ANNOTATION: f"{block[0]}-{block[-1]}"} if block else {}
    avoids = {AVOIDS_ANNOTATION: ",".join(sorted(avoid_nodes))} if avoid_nodes else {}
    own = {REVISION_LABEL: revision, names.OCCUPIED_LABEL: "false"}
    return common | {
        "labels": dict(spec.pod_labels) | common["labels"] | own,
        "annotations": dict(spec.pod_annotations)
        | ports
        | avoids
        | {names.SAFE_TO_EVICT_ANNOTATION: "true"},
    }


def _optional(spec: MixerPoolSpec) -> dict[str, Any]:
    """What stands in the Pod only when it is asked for."""
    given = spec.to_dict()
    keys = ("imagePullSecrets", "runtimeClassName", "nodeSelector", "tolerations")
    found = {key: given[key] for key in (*keys, "priorityClassName") if given.get(key)}
    if spec.network.mode == "HostNetwork":
        # or names of the cluster would not be found from the node's network
        found["dnsPolicy"] = "ClusterFirstWithHostNet"
    return found
