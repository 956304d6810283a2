"""The CPU limit of a mixer pod."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_operator.reading.scalars import condition
from voiceroom_operator.remediation.cpulimit import CpuLimit, Refused
from voiceroom_operator.remediation.raises import thousandths

_PENDING: Final[Mapping[str, Refused]] = {"Deferred": "Deferred", "Infeasible": "Infeasible"}


def cpu_limit(body: Mapping[str, Any], quota_cpus: float | None, refusal: str = "") -> CpuLimit:
    """Of a Pod of the operator's. ``refusal``: what the API server said to the last change."""
    limit_m = thousandths(resources_of(body).get("limits", {}).get("cpu"))
    quota_m = round((quota_cpus or 0.0) * 1000)
    if refusal:
        return CpuLimit(limit_m, quota_m, "Refused", refusal)
    pending = condition(body.get("status") or {}, "PodResizePending")
    refused = _PENDING.get(str(pending.get("reason")), "")
    if pending.get("status") != "True" or not refused:
        return CpuLimit(limit_m, quota_m)
    return CpuLimit(limit_m, quota_m, refused, str(pending.get("message", "")))


def resources_of(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Of the pod's one container; empty when nothing is told."""
    containers = (body.get("spec") or {}).get("containers") or ()
    return (containers[0].get("resources") or {}) if containers else {}


def is_guaranteed(body: Mapping[str, Any]) -> bool:
    """Its requests are its limits, and have to stay so: a pod keeps its quality of service."""
    found = resources_of(body)
    return bool(found.get("limits")) and found.get("limits") == found.get("requests")
