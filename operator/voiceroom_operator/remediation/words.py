"""Events of remediation. Reasons are stable; ``docs/remediation.md`` lists them."""

from __future__ import annotations

from typing import Final

from voiceroom_operator.remediation.case import PoolCase, Say
from voiceroom_operator.remediation.guards import Blocked
from voiceroom_operator.remediation.records import Evacuation
from voiceroom_operator.remediation.suspects import PodView
from voiceroom_operator.status.conditions import timestamp

POD_LEFT: Final = "DriftOfPod"
NODE_LEFT: Final = "DriftOfNode"
WOULD_LEAVE: Final = "DriftDryRun"
NODE_RELEASED: Final = "NodeReleased"
UNCONFIRMED: Final = "AlertUnconfirmed"
BLOCKED: Final = "RemediationBlocked"
_MOST_ROOMS: Final = 20


def begun(entry: Evacuation, case: PoolCase) -> Say:
    """A pod or a node is left, or would be."""
    pods = {pod.name for pod in case.pods if _belongs(entry, pod)}
    rooms = sorted(room.name for room in case.rooms if room.pod in pods)
    shown = ", ".join(rooms[:_MOST_ROOMS]) or "none"
    more = f" and {len(rooms) - _MOST_ROOMS} more" if len(rooms) > _MOST_ROOMS else ""
    subject = f"{entry.what.lower()} {entry.name}"
    message = (
        f"{subject} does not keep time ({entry.cause}); rooms {shown}{more}; "
        f"not trusted before {timestamp(entry.until_s)}"
    )
    if entry.dry:
        return Say("Pool", case.name, WOULD_LEAVE, f"would be left: {message}")
    return Say("Pool", case.name, NODE_LEFT if entry.what == "Node" else POD_LEFT, message)


def _belongs(entry: Evacuation, pod: PodView) -> bool:
    return pod.node == entry.name if entry.what == "Node" else pod.uid == entry.uid


def released(entry: Evacuation, pool: str) -> Say:
    """A node may have pods again."""
    message = f"node {entry.name} may have pods again (it was left for {entry.cause})"
    return Say("Pool", pool, NODE_RELEASED, message, warning=False)


def unconfirmed(pod: PodView, pool: str) -> Say:
    """An alert that the own look does not confirm."""
    message = (
        f"an alert names pod {pod.name} on node {pod.node}, and it keeps time: nothing is done"
    )
    return Say("Pool", pool, UNCONFIRMED, message, warning=False)


def blocked(why: Blocked, pool: str) -> Say:
    """Something would be left, and a guard rail keeps it."""
    return Say("Pool", pool, BLOCKED, f"{why.reason}: {why.message}")
