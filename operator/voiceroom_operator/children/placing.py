"""Where a mixer pod may run."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

from voiceroom_api.mixerpool import MixerPoolSpec

_HOSTNAME: Final = "kubernetes.io/hostname"
_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"


def spread(spec: MixerPoolSpec, selector: dict[str, str]) -> list[dict[str, Any]]:
    """Over nodes as evenly as may be, so that each pod has a twin elsewhere; the pool's own
    constraints instead, where it has some."""
    own = spec.to_dict().get("topologySpreadConstraints")
    if own:
        return [{"labelSelector": {"matchLabels": selector}} | entry for entry in own]
    return [
        {
            "maxSkew": 1,
            "topologyKey": _HOSTNAME,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": selector},
        }
    ]


def affinity(spec: MixerPoolSpec, avoid_nodes: tuple[str, ...]) -> dict[str, Any]:
    """The pool's own, and off ``avoid_nodes``.

    The terms of a node affinity are alternatives: each of them has to avoid those nodes.
    """
    given: dict[str, Any] = deepcopy(spec.to_dict().get("affinity", {}))
    if not avoid_nodes:
        return given
    required = given.setdefault("nodeAffinity", {}).setdefault(_REQUIRED, {})
    away = {"key": _HOSTNAME, "operator": "NotIn", "values": sorted(avoid_nodes)}
    for term in required.setdefault("nodeSelectorTerms", [{}]):
        term["matchExpressions"] = [*term.get("matchExpressions", []), away]
    return given
