"""Changes to objects that exist, as JSON merge patches."""

from __future__ import annotations

from typing import Any

from voiceroom_api import names
from voiceroom_operator.children.marks import DRAIN_ANNOTATION, IDLE_SINCE_ANNOTATION
from voiceroom_operator.pool.actions import PatchPod


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


def _flag(value: bool) -> str:
    return "true" if value else "false"
