"""A namespace as it is on record: objects of the mirror and words of pods, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_operator.children.marks import PoolRef
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.grouping import Groups
from voiceroom_operator.observed import NodeSeen, PodSeen, RoomSeen
from voiceroom_operator.reading.reports import StatusReport
from voiceroom_operator.remediation.policy import Policy
from voiceroom_operator.round.specs import Read
from voiceroom_operator.wanted import PoolWanted


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A VoiceRoom."""

    body: Body
    read: Read[VoiceRoomSpec]
    seen: RoomSeen


@dataclass(frozen=True, slots=True)
class PoolRecord:
    """A MixerPool."""

    body: Body
    read: Read[MixerPoolSpec]
    wanted: PoolWanted
    ref: PoolRef
    policy: Policy


@dataclass(frozen=True, slots=True)
class PodRecord:
    """A mixer pod, and its newest word."""

    body: Body
    seen: PodSeen
    report: StatusReport
    heard: bool
    """It has answered a look."""
    runs: frozenset[tuple[str, int]]
    """Rooms and epochs, by its own word."""
    legs: Mapping[str, int]
    """Of those rooms."""

    def tells(self, report: StatusReport, heard: bool) -> bool:
        """Whether nothing new was heard of it."""
        return self.report is report and self.heard == heard


@dataclass(frozen=True, slots=True)
class Seen:
    """All of a namespace, by name."""

    namespace: str
    rooms: Mapping[str, RoomRecord]
    pools: Mapping[str, PoolRecord]
    pods: Mapping[str, PodRecord]
    nodes: Mapping[str, NodeSeen] | None
    """None: the operator may not read them."""
    room_values: Mapping[str, RoomSeen]
    """Of ``rooms``: the same object while plans would find nothing new in them."""
    bound: Groups[RoomRecord]
    """Rooms by the pod that they are bound to; under '' those that are bound to none."""
    others: Groups[RoomRecord]
    """Rooms by other pods that have to do with them: their twin, and where they move."""

    def pods_of(self, pool: str) -> tuple[PodRecord, ...]:
        """Of one pool."""
        return tuple(pod for pod in self.pods.values() if pod.seen.pool == pool)
