"""How a mixer is started in a pod."""

from __future__ import annotations

from typing import Any, Final

from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_operator.children.listeners import Listeners

POOL_NAME: Final = "POOL_NAME"
_FIELDS: Final = (
    ("POD_NAME", "metadata.name"),
    ("POD_NAMESPACE", "metadata.namespace"),
    ("POD_UID", "metadata.uid"),
    ("POD_IP", "status.podIP"),
    ("HOST_IP", "status.hostIP"),
    ("NODE_NAME", "spec.nodeName"),
    (POOL_NAME, f"metadata.labels['{names.POOL_LABEL}']"),
)


def arguments(
    spec: MixerPoolSpec, ports: Listeners, keys_dir: str, state_dir: str, *, chaos: bool = False
) -> list[str]:
    """Of ``voiceroom-mixer``. What may change while it runs comes with its assignment."""
    network = spec.network
    found = [
        "pod",
        f"--http=0.0.0.0:{ports.http}",
        f"--admin=0.0.0.0:{ports.admin}",
        f"--metrics=0.0.0.0:{ports.metrics}",
        f"--udp=0.0.0.0:{ports.udp}",
        f"--media-processes={spec.media_processes}",
        f"--pool-dir={keys_dir}",
        f"--state-dir={state_dir}",
        f"--drain-deadline={spec.drain.deadline}",
        f"--rtp-allow={','.join(network.rtp_allow_cidrs)}",
        f"--realtime={spec.realtime.mode}",
        "--log-format=json",
    ]
    if spec.realtime.fifo_priority is not None:
        found.append(f"--realtime-priority={spec.realtime.fifo_priority}")
    if spec.realtime.whole_cpus:
        found.append(f"--realtime-cpus={spec.resources.limits.cpu}")
    if spec.realtime.required:
        found.append("--realtime-required")
    if chaos:
        found.append("--chaos")
    return found


def environment(spec: MixerPoolSpec) -> list[dict[str, Any]]:
    """What the pod knows of itself, then the pool's own variables."""
    own = [_of_the_pod(name, path) for name, path in _FIELDS]
    if spec.canary is not None:
        # the name that mixers of both pools know each other by
        own = [_plain(e["name"], spec.canary.of) if e["name"] == POOL_NAME else e for e in own]
    taken = {name for name, _ in _FIELDS}
    return own + [entry for entry in spec.to_dict().get("env", []) if entry["name"] not in taken]


def _of_the_pod(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _plain(name: str, value: str) -> dict[str, Any]:
    return {"name": name, "value": value}
