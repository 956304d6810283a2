"""Events of remediation. Reasons are stable; ``docs/remediation.md`` lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from voiceroom_operator.remediation.case import PoolCase, Say
from voiceroom_operator.remediation.guards import Blocked
from voiceroom_operator.remediation.raises import GONE, Raise
from voiceroom_operator.remediation.records import Evacuation
from voiceroom_operator.remediation.suspects import PodView
from voiceroom_operator.status.conditions import timestamp

POD_LEFT: Final = "DriftOfPod"
NODE_LEFT: Final = "DriftOfNode"
WOULD_LEAVE: Final = "DriftDryRun"
LIMIT_RAISED: Final = "CpuLimitRaised"
LIMIT_SET: Final = "CpuLimitSet"
LIMIT_NOT_SET: Final = "CpuLimitNotSet"
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


def raised(entry: Raise, pool: str) -> Say:
    """A CPU limit is raised, or would be."""
    message = f"pod {entry.pod} is throttled by its own quota; its CPU limit"
    change = f"raised in place from {_cpus(entry.from_m)} to {_cpus(entry.to_m)}"
    if entry.dry:
        return Say("Pool", pool, WOULD_LEAVE, f"{message} would be {change}, and no room moved")
    return Say("Pool", pool, LIMIT_RAISED, f"{message} is {change}, and no room is moved for now")


def raise_ended(entry: Raise, pool: str) -> Say:
    """What has become of it."""
    if entry.outcome == "Set":
        message = f"pod {entry.pod} has {_cpus(entry.to_m)}, as it reads back from its cgroup"
        return Say("Pool", pool, LIMIT_SET, message, warning=False)
    return Say("Pool", pool, LIMIT_NOT_SET, f"pod {entry.pod}: {_failure(entry)}")


def _failure(entry: Raise) -> str:
    said = f" ({entry.why})" if entry.why else ""
    instead = "" if entry.why == GONE else "; its rooms leave it instead"
    return (
        f"its CPU limit was not raised to {_cpus(entry.to_m)} in place: "
        f"{entry.outcome}{said}{instead}"
    )


def in_place(entries: Iterable[Raise]) -> dict[str, str]:
    """By pod, for conditions."""
    return {entry.pod: _going(entry) for entry in entries if not entry.dry}


def _going(entry: Raise) -> str:
    match entry.outcome:
        case "":
            return f"Its CPU limit is being raised in place to {_cpus(entry.to_m)}"
        case "Set":
            return f"Its CPU limit was raised in place to {_cpus(entry.to_m)}"
        case _:
            return f"Its CPU limit was not raised in place: {entry.outcome}"


def _cpus(thousandths: int) -> str:
    return f"{thousandths / 1000:g} CPU"
