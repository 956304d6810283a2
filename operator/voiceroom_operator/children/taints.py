"""Quarantine as a taint of the node. Only what this operator has set is taken away again: the
annotation beside it names the pools on whose account it is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from voiceroom_api import names

BY_ANNOTATION: Final = "voiceroom.dev/timing-by"
"""Of a node: NAMESPACE/POOL of each pool that wants the taint, divided by commas."""
TAINT: Final = {"key": names.TIMING_TAINT, "value": "degraded", "effect": "NoSchedule"}


def owners(node: Mapping[str, Any]) -> frozenset[str]:
    """Pools on whose account the node is tainted."""
    notes = node["metadata"].get("annotations") or {}
    return frozenset(filter(None, str(notes.get(BY_ANNOTATION, "")).split(",")))


def taint_patch(node: Mapping[str, Any], owner: str, *, wanted: bool) -> dict[str, Any] | None:
    """What makes it so, as a JSON merge patch of the node that was seen; None = it is so. A taint
    of that key that somebody else has set is left alone."""
    before, taints = owners(node), list((node.get("spec") or {}).get("taints") or ())
    ours = [taint for taint in taints if taint.get("key") == names.TIMING_TAINT]
    if ours and not before:
        return None
    after = before | {owner} if wanted else before - {owner}
    if after == before and bool(ours) == bool(after):
        return None
    others = [taint for taint in taints if taint.get("key") != names.TIMING_TAINT]
    metadata = {
        "uid": node["metadata"]["uid"],
        "resourceVersion": node["metadata"]["resourceVersion"],
        "annotations": {BY_ANNOTATION: ",".join(sorted(after)) if after else None},
    }
    return {"metadata": metadata, "spec": {"taints": [*others, TAINT] if after else others}}
