"""What the cluster says against the pods of a pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from voiceroom_operator.reading.scalars import condition
from voiceroom_operator.round.seen import PodRecord
from voiceroom_operator.status.refusals import Refusal, refusal

_WAITING: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "CrashLoopBackOff",
    }
)
"""Reasons of a waiting container that do not go away by themselves."""


def refused(pods: Iterable[PodRecord]) -> Refusal | None:
    """The first refusal of a pod that is not in service."""
    words = (text for pod in pods if not pod.seen.ready for text in _words(pod.body))
    return next(map(refusal, words), None)


def _words(body: Mapping[str, Any]) -> Iterator[str]:
    status = body.get("status") or {}
    scheduled = condition(status, "PodScheduled")
    if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
        yield str(scheduled.get("message") or "Unschedulable")
    if status.get("phase") == "Failed" and status.get("reason"):
        yield f"{status['reason']}: {status.get('message', '')}"
    for container in status.get("containerStatuses") or ():
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in _WAITING:
            yield f"{waiting['reason']}: {waiting.get('message', '')}"
