"""Changes to objects that exist, as JSON merge patches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voiceroom_api import names
from voiceroom_operator.children.marks import DRAIN_ANNOTATION, IDLE_SINCE_ANNOTATION
from voiceroom_operator.pool.actions import PatchPod
from voiceroom_operator.reading.cpu import is_guaranteed


def pod_patch(patch: PatchPod, now_s: float) -> dict[str, Any]:
    """The uid in it makes the API server refuse the patch when the pod is another by now."""
    metadata: dict[str, Any] = {"uid": patch.uid}
    annotations: dict[str, str | None] = {}
    if patch.occupied is not None:
        metadata["labels"] = {names.OCCUPIED_LABEL: _flag(patch.occupied)}
        annotations[names.SAFE_TO_EVICT_ANNOTATION] = _flag(not patch.occupied)
        annotations[IDLE_SINCE_ANNOTATION] = None if patch.occupied else str(int(now_s))
    if patch.drain is not None:
        mark = f"{int(now_s)} {patch.drain}" if patch.drain else None
        annotations[DRAIN_ANNOTATION] = mark
    return {"metadata": metadata | {"annotations": annotations}}


def resize_patch(body: Mapping[str, Any], cpu_m: int) -> dict[str, Any]:
    """Of the Pod that was seen, by server-side apply to its subresource ``resize``: a CPU limit of
    ``cpu_m`` thousandths. The requests of a Guaranteed pod go along."""
    metadata, (container,) = body["metadata"], body["spec"]["containers"]
    cpu = {"cpu": f"{cpu_m}m"}
    resources = {"limits": cpu} | ({"requests": cpu} if is_guaranteed(body) else {})
    return {
        "metadata": {key: metadata[key] for key in ("name", "namespace", "uid")},
        "spec": {"containers": [{"name": container["name"], "resources": resources}]},
    }


def _flag(value: bool) -> str:
    return "true" if value else "false"
