"""The status of a MixerPool."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.observed import NodeSeen
from voiceroom_operator.pool.actions import PoolPlan
from voiceroom_operator.pool.crew import Crew
from voiceroom_operator.status.common import (
    realtime_granted,
    remediation_blocked,
    timing_healthy,
)
from voiceroom_operator.status.conditions import Condition, settle, timestamp
from voiceroom_operator.status.facts import Granted, Remedy, Timeliness
from voiceroom_operator.status.refusals import Refusal
from voiceroom_operator.wanted import PoolWanted

SLOW: Final = frozenset({"participants", "headroom"})
"""Written at most every 10 s for their own sake."""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """All that is known of one pool."""

    wanted: PoolWanted
    plan: PoolPlan
    crew: Crew
    generation: int
    selector: Mapping[str, str]
    realtime: Granted
    rooms: int = 0
    participants: int = 0
    nodes: tuple[NodeSeen, ...] = ()
    """Those that have pods of the pool."""
    quarantined_until_s: Mapping[str, float] | None = None
    """By node, Unix time."""
    budget: Mapping[str, Any] | None = None
    """What remediation has on record; None = as it is."""
    canary: Mapping[str, Any] | None = None
    """What has become of it; None = it is no canary."""
    timing: Timeliness = field(default_factory=Timeliness)
    remedy: Remedy = field(default_factory=Remedy)
    refusal: Refusal | None = None


def pool_status(written: Mapping[str, Any], facts: PoolFacts, now_s: float) -> dict[str, Any]:
    """The whole status to be. ``written``: the one that is there; ``budget`` is
    kept from it when the facts have none."""
    crew = facts.crew
    status: dict[str, Any] = {
        "pods": {
            "desired": facts.plan.target,
            "ready": sum(pod.ready for pod in (*crew.live, *crew.leaving)),
            "draining": len(crew.leaving),
        },
        "rooms": facts.rooms,
        "participants": facts.participants,
        "nodes": [_node(node, facts) for node in sorted(facts.nodes, key=lambda node: node.name)],
        "selector": ",".join(f"{key}={value}" for key, value in sorted(facts.selector.items())),
        "observedGeneration": facts.generation,
        "conditions": settle(
            written.get("conditions", ()), conditions(facts), facts.generation, now_s
        ),
    }
    measured = [pod.headroom for pod in crew.serving if pod.headroom is not None]
    if measured:
        status["headroom"] = round(min(measured), 2)
    budget = written.get("budget") if facts.budget is None else facts.budget
    if budget is not None:
        status["budget"] = dict(budget)
    if facts.canary is not None:
        status["canary"] = dict(facts.canary)
    return status


def conditions(facts: PoolFacts) -> Iterable[Condition]:
    """All four."""
    yield _ready(facts)
    yield realtime_granted(facts.realtime)
    yield timing_healthy(facts.timing)
    yield remediation_blocked(facts.remedy)


def _ready(facts: PoolFacts) -> Condition:
    wanted, crew = facts.wanted, facts.crew
    ready, target = len(crew.serving), facts.plan.target
    if wanted.deleting:
        message = f"{len(crew.leaving) + len(crew.live)} pods are being emptied"
        return Condition(names.READY, "False", names.DRAIN, message)
    if facts.refusal is not None:
        return Condition(names.READY, "False", names.POD_REFUSED, facts.refusal.message())
    for note in facts.plan.notes:
        if note.reason in _NOT_READY:
            return Condition(names.READY, "False", _NOT_READY[note.reason], note.message)
    message = f"{ready} of {target} pods are in service"
    if ready < min(wanted.size_min, target):
        return Condition(names.READY, "False", names.WAITING_FOR_POD, message)
    return Condition(names.READY, "True", names.AS_WANTED, _with_notes(message, facts.plan))


_NOT_READY: Final = {
    "NoCapacity": names.NO_CAPACITY,
    "PortsExhausted": names.POD_REFUSED,
    "PortsTaken": names.POD_REFUSED,
}
"""Notes of the plan that make a pool not Ready; others are said beside."""


def _with_notes(message: str, plan: PoolPlan) -> str:
    return "; ".join([message, *(note.message for note in plan.notes)])


def _node(node: NodeSeen, facts: PoolFacts) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": node.name}
    if node.grade:
        fields["grade"] = node.grade
    until_s = (facts.quarantined_until_s or {}).get(node.name)
    if until_s is not None:
        fields["quarantinedUntil"] = timestamp(until_s)
    return fields
