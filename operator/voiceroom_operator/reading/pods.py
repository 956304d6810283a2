"""Pods and nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from voiceroom_api import names
from voiceroom_operator.children.marks import (
    AVOIDS_ANNOTATION,
    DRAIN_ANNOTATION,
    IDLE_SINCE_ANNOTATION,
    PORTS_ANNOTATION,
    REVISION_LABEL,
)
from voiceroom_operator.observed import DrainReason, Grade, Held, NodeSeen, PodSeen, Stuck
from voiceroom_operator.reading.scalars import condition, number, ports, unix_s

_LEAVING_TAINTS: Final = frozenset({"ToBeDeletedByClusterAutoscaler"})


_DRAIN_REASONS: Final[Mapping[str, DrainReason]] = {
    reason: reason for reason in get_args(DrainReason) if reason
}


@dataclass(frozen=True, slots=True)
class PodReport:
    """The pod's own word (``GET /admin/v1/status``), and how long ago it was."""

    accepting: bool = True
    holds: tuple[Held, ...] = ()
    relays: int = 0
    headroom: float | None = None
    silent_s: float = 0.0
    """For how long it has been asked since and has not answered."""


_NOTHING_SAID: Final = PodReport()


def pod_seen(body: Mapping[str, Any], report: PodReport = _NOTHING_SAID) -> PodSeen:
    """A Pod of the operator's."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    drain_since_s, drain_reason = _drain(notes.get(DRAIN_ANNOTATION))
    return PodSeen(
        name=metadata["name"],
        uid=metadata["uid"],
        pool=labels.get(names.POOL_LABEL, ""),
        revision=labels.get(REVISION_LABEL, ""),
        created_s=unix_s(metadata.get("creationTimestamp")) or 0.0,
        started_s=_started_s(status, unix_s(metadata.get("creationTimestamp")) or 0.0),
        node=spec.get("nodeName", ""),
        ports=ports(notes.get(PORTS_ANNOTATION)),
        ready=condition(status, "Ready").get("status") == "True",
        accepting=report.accepting,
        failed=status.get("phase") in ("Failed", "Succeeded"),
        deleting="deletionTimestamp" in metadata,
        disrupted=condition(status, "DisruptionTarget").get("status") == "True",
        drain_since_s=drain_since_s,
        drain_reason=drain_reason,
        occupied=labels.get(names.OCCUPIED_LABEL) == "true",
        idle_since_s=number(notes.get(IDLE_SINCE_ANNOTATION)),
        stuck=_stuck(condition(status, "PodScheduled")),
        avoids=frozenset(filter(None, str(notes.get(AVOIDS_ANNOTATION, "")).split(","))),
        silent_s=report.silent_s,
        holds=report.holds,
        relays=report.relays,
        headroom=report.headroom,
    )


def _started_s(status: Mapping[str, Any], created_s: float) -> float:
    """Of the container that began last; 0 while one of them does not run. A Ready pod of whose
    containers nothing is told has run since it was made."""
    listed = status.get("containerStatuses") or ()
    if not listed:
        return created_s if condition(status, "Ready").get("status") == "True" else 0.0
    running = ((entry.get("state") or {}).get("running") or {} for entry in listed)
    began = [unix_s(state.get("startedAt")) for state in running]
    known = [at_s for at_s in began if at_s is not None]
    return max(known) if len(known) == len(began) else 0.0


def _drain(note: object) -> tuple[float | None, DrainReason]:
    since, _, words = note.partition(" ") if isinstance(note, str) else ("", "", "")
    since_s = number(since)
    reason = _DRAIN_REASONS.get(words)
    return (since_s, reason) if since_s is not None and reason else (None, "")


def _stuck(scheduled: Mapping[str, Any]) -> Stuck:
    if scheduled.get("status") != "False" or scheduled.get("reason") != "Unschedulable":
        return ""
    return "Ports" if "free ports" in scheduled.get("message", "") else "Unschedulable"


def node_seen(body: Mapping[str, Any], *, quarantined: bool = False, grade: Grade = "") -> NodeSeen:
    """A Node; grade and quarantine are the operator's own knowledge of it."""
    spec = body.get("spec") or {}
    taints = {taint.get("key") for taint in spec.get("taints") or ()}
    return NodeSeen(
        name=body["metadata"]["name"],
        schedulable=not spec.get("unschedulable") and not taints & _LEAVING_TAINTS,
        ready=condition(body.get("status") or {}, "Ready").get("status") == "True",
        quarantined=quarantined,
        grade=grade,
    )
