"""The mixer's container."""

from __future__ import annotations

from typing import Any, Final

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_operator.children.arguments import arguments, environment
from voiceroom_operator.children.listeners import Listeners, container_ports
from voiceroom_operator.children.security import container_security

KEYS_DIR: Final = "/etc/voiceroom/pool"
STATE_DIR: Final = "/var/lib/voiceroom"
"""What the pod was assigned: it outlives the container, and ends with the pod."""
_SMALL: Final = "64Mi"


def mixer_container(
    spec: MixerPoolSpec,
    *,
    image: str,
    pull_policy: str,
    ports: Listeners,
    pre_stop_s: int,
    chaos: bool = False,
) -> dict[str, Any]:
    """One container, so that the pod's quality of service is the container's."""
    return {
        "name": "mixer",
        "image": image,
        "imagePullPolicy": pull_policy,
        "args": arguments(spec, ports, KEYS_DIR, STATE_DIR, chaos=chaos),
        "env": environment(spec),
        "ports": container_ports(spec.network, ports, spec.media_processes),
        "resources": resources(spec),
        "securityContext": container_security(spec),
        "startupProbe": _probe("/healthz", period_s=1, failures=60),
        # a stall of 60 s is moved away from, not killed
        "livenessProbe": _probe("/healthz", period_s=10, failures=7),
        "readinessProbe": _probe("/readyz", period_s=2, failures=2),
        "lifecycle": {"preStop": {"sleep": {"seconds": pre_stop_s}}},
        "volumeMounts": [
            {"name": "pool", "mountPath": KEYS_DIR, "readOnly": True},
            {"name": "state", "mountPath": STATE_DIR},
            {"name": "tmp", "mountPath": "/tmp"},
        ],
    }


def resources(spec: MixerPoolSpec) -> dict[str, Any]:
    """The CPU limit is always there. Requests that are not given are the limits, which makes the
    pod Guaranteed; modes Exclusive and Fifo take nothing else."""
    limits = {"cpu": spec.resources.limits.cpu, "memory": spec.resources.limits.memory}
    if spec.realtime.whole_cpus:
        return {"limits": limits, "requests": dict(limits)}
    asked = spec.resources.requests
    requests = {"cpu": asked.cpu or limits["cpu"], "memory": asked.memory or limits["memory"]}
    return {"limits": limits, "requests": requests}


def volumes(secret: str) -> list[dict[str, Any]]:
    """Of the pod: the pool's Secret, and two small places to write."""
    return [
        {"name": "pool", "secret": {"secretName": secret, "defaultMode": 0o440}},
        {"name": "state", "emptyDir": {"sizeLimit": _SMALL}},
        {"name": "tmp", "emptyDir": {"sizeLimit": _SMALL}},
    ]


def _probe(path: str, *, period_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": period_s,
        "timeoutSeconds": 5 if period_s > 5 else period_s,
        "failureThreshold": failures,
    }
