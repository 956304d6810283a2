"""Names of pods: deterministic, so that a plan made twice from old news makes one pod."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count


def pod_name(pool: str, ordinal: int) -> str:
    """``voiceroom-POOL-ORDINAL``."""
    return f"voiceroom-{pool}-{ordinal}"


def pool_of(pod: str) -> str:
    """The pool that a pod of this name belongs to; empty when it is no name of ours."""
    head, _, ordinal = pod.rpartition("-")
    return head.removeprefix("voiceroom-") if ordinal.isdigit() and "voiceroom-" in head else ""


def free_names(pool: str, taken: Collection[str]) -> Iterator[str]:
    """Names that are not ``taken``, lowest ordinal first, without end.

    Taken is what a pod has, and also what a room is still bound to: an epoch belongs to one pod,
    not to the next one of its name.
    """
    return (name for name in (pod_name(pool, n) for n in count()) if name not in taken)
