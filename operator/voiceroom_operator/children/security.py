"""What a mixer pod may do on its node: as little as its real-time mode allows."""

from __future__ import annotations

from typing import Any, Final

from voiceroom_api.mixerpool import MixerPoolSpec

USER: Final = 20_478
"""Neither root nor anyone known on a node."""
FIFO_CAPABILITIES: Final = ("IPC_LOCK", "SYS_NICE")


def pod_security(spec: MixerPoolSpec) -> dict[str, Any]:
    """For mode Fifo user 0 with two capabilities: added ones do not become effective for others
    (kubernetes/kubernetes#56374)."""
    user = 0 if spec.realtime.mode == "Fifo" else USER
    return {
        "runAsNonRoot": user != 0,
        "runAsUser": user,
        "runAsGroup": user,
        "fsGroup": user,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security(spec: MixerPoolSpec) -> dict[str, Any]:
    """Everything dropped but what the mode needs."""
    capabilities: dict[str, Any] = {"drop": ["ALL"]}
    if spec.realtime.mode == "Fifo":
        capabilities["add"] = list(FIFO_CAPABILITIES)
    return {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": capabilities,
    }
