"""What the operator has seen of the cluster, as the planners take it: small frozen values.

Times are Unix seconds. An object of the cluster is turned into one of these once, at the edge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from voiceroom_operator.binding.request import Answer, Request
from voiceroom_operator.limits import Limits
from voiceroom_operator.remediation.drifted import Drifted

Role = Literal["owner", "twin", "successor", "former"]
Grade = Literal["A", "B", "C", ""]
Stuck = Literal["", "Ports", "Unschedulable"]
DrainReason = Literal["", "NodeLeaving", "Rollout", "PoolDeleted", "Drift"]


class Standing(Enum):
    """What a pod is good for now."""

    SERVING = "Serving"
    """It takes rooms."""
    UNREADY = "Unready"
    """It keeps its rooms and takes no new ones: starting, or Ready no more for a moment."""
    LEAVING = "Leaving"
    """It keeps its rooms until they have moved: deleted, drained, or its node is cordoned."""
    LOST = "Lost"
    """Its rooms need another pod: it failed, or it is not Ready and does not answer."""


@dataclass(frozen=True, slots=True)
class NodeSeen:
    """A node."""

    name: str
    schedulable: bool = True
    """False when it is cordoned, or about to be removed by an autoscaler."""
    ready: bool = True
    """False when its kubelet is no longer heard of."""
    quarantined: bool = False
    """Nothing new is placed there until it has kept time again."""
    grade: Grade = ""
    """How well it can keep time; A is best, empty is not known yet."""


Nodes = Mapping[str, NodeSeen] | None
"""By name; None when the operator may not read nodes."""


@dataclass(frozen=True, slots=True)
class Held:
    """A room that a pod says it holds."""

    room: str
    epoch: int
    role: Role = "owner"
    legs: int = 0


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A mixer pod: its object, and its own last word."""

    name: str
    uid: str
    pool: str
    revision: str
    created_s: float
    started_s: float = 0.0
    """When its container began; 0 = it does not run."""
    node: str = ""
    """Empty until it is scheduled."""
    ports: tuple[int, ...] = ()
    """What was dealt to it; none with network.mode PodIP."""
    ready: bool = False
    accepting: bool = True
    """Its own word; a full pod says False."""
    failed: bool = False
    """Its phase is Failed or Succeeded: it never comes back."""
    deleting: bool = False
    disrupted: bool = False
    """The cluster is about to end it (condition DisruptionTarget)."""
    drain_since_s: float | None = None
    drain_reason: DrainReason = ""
    occupied: bool = False
    """The label that the disruption budget selects by."""
    idle_since_s: float | None = None
    stuck: Stuck = ""
    """Why the scheduler finds no node for it."""
    avoids: frozenset[str] = frozenset()
    """Nodes that it was made not to be placed on."""
    silent_s: float = 0.0
    """For how long it has been asked and has not answered."""
    holds: tuple[Held, ...] = ()
    relays: int = 0
    """Legs of rooms of other pods that it relays."""
    headroom: float | None = None
    """Share of the frame still free at p99; None before it was measured."""

    def owned_rooms(self) -> int:
        """How many rooms it says it runs."""
        return sum(held.role == "owner" for held in self.holds)

    def twin_roles(self) -> int:
        """How many rooms it says it stands by for."""
        return sum(held.role == "twin" for held in self.holds)


@dataclass(frozen=True, slots=True)
class MoveSeen:
    """A move that was decided and has not ended."""

    to: str
    epoch: int
    id: str = ""
    reason: str = ""
    """CamelCase, as in the condition Moving."""
    started_s: float = 0.0


@dataclass(frozen=True, slots=True)
class RoomSeen:
    """A VoiceRoom: what it asks for, and how its status binds it."""

    name: str
    uid: str
    pool: str
    """That is to run it: the one that it asks for, or the canary of that."""
    created_s: float = 0.0
    dedicated: bool = False
    deleting: bool = False
    pod: str = ""
    """The pod that it is bound to; empty = none."""
    epoch: int = 0
    """The highest epoch that was written for it, moves apart; 0 = it was never bound."""
    twin: str = ""
    """The pod that may take over, under ``epoch`` + 1, without asking."""
    move: MoveSeen | None = None
    legs: int = 0
    drift: Drifted | None = None
    """Its latest move on account of drift."""
    request: Request | None = None
    """The move that a person asks for."""
    answer: Answer | None = None
    """What is on record of a request."""
    lent_by: str = ""
    """The pool that it asks for, where a canary is to run it; empty = ``pool``."""
    saw_pool: bool = False
    """It has been told of its pool before: when that is gone now, a person has deleted it."""

    @property
    def twin_pool(self) -> str:
        """Where its twin is: of a room that is lent to a canary with the pods that are tried."""
        return self.lent_by or self.pool

    @property
    def highest_epoch(self) -> int:
        """The highest that was ever given to anyone, a twin's own right apart."""
        return max(self.epoch, self.move.epoch if self.move else 0)


def standing(pod: PodSeen, nodes: Nodes, limits: Limits) -> Standing:
    """What ``pod`` is good for.

    A pod that answers is never lost, whatever its node says: a stopped kubelet ends no call. One
    that the kubelet finds Ready is not lost either, so that a cut towards the operator alone
    moves nothing.
    """
    if pod.failed or (not pod.ready and pod.silent_s > limits.lost_after_s):
        return Standing.LOST
    if is_leaving(pod, nodes):
        return Standing.LEAVING
    return Standing.SERVING if pod.ready else Standing.UNREADY


def is_leaving(pod: PodSeen, nodes: Nodes) -> bool:
    """Whether the pod is on its way out."""
    return pod.deleting or pod.drain_since_s is not None or is_displaced(pod, nodes)


def is_displaced(pod: PodSeen, nodes: Nodes) -> bool:
    """Whether the cluster wants the pod off its node."""
    node = nodes.get(pod.node) if nodes else None
    return pod.disrupted or (node is not None and not node.schedulable)
