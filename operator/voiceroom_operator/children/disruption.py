"""A pod with rooms is not evicted before they have moved; an empty one may go at any time."""

from __future__ import annotations

from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.children.marks import PoolRef, metadata, selector

ABOVE_ANY_COUNT: Final = 1_000_000
"""More pods than a pool can have, so that the budget is never met while it selects any. An
integer, since percentages are counted against the scale subresource of the pods' owner."""


def disruption_budget(pool: PoolRef) -> dict[str, Any]:
    """One for the pool. Two that select the same pod make the eviction API fail.

    ``IfHealthyBudget``: a pod that drains is not Ready and still has calls.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(pool, pool.object_name()),
        "spec": {
            "minAvailable": ABOVE_ANY_COUNT,
            "unhealthyPodEvictionPolicy": "IfHealthyBudget",
            "selector": {"matchLabels": selector(pool) | {names.OCCUPIED_LABEL: "true"}},
        },
    }
