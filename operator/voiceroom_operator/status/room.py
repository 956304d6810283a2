"""The status of a VoiceRoom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.binding.decisions import Unplaced, Waiting
from voiceroom_operator.binding.request import Answer, settled
from voiceroom_operator.observed import PodSeen, RoomSeen, Standing
from voiceroom_operator.status.common import (
    realtime_granted,
    remediation_blocked,
    timing_healthy,
)
from voiceroom_operator.status.conditions import Condition, settle, timestamp, truth
from voiceroom_operator.status.facts import Granted, Remedy, Timeliness
from voiceroom_operator.status.moves import Arrival, moves_status
from voiceroom_operator.status.refusals import Refusal

SLOW: Final = frozenset({"participants", "timing"})
"""Written at most every 10 s for their own sake; a new verdict shows in a condition at once."""


@dataclass(frozen=True, slots=True)
class RoomFacts:
    """All that is known of one room."""

    room: RoomSeen
    """As it is on record, decisions of this round included."""
    generation: int
    realtime: Granted
    pod: PodSeen | None = None
    """The one that it is bound to."""
    standing: Standing = Standing.LOST
    """Of that pod."""
    confirmed: bool = False
    """The pod says that it runs the room under this epoch."""
    url: str = ""
    udp: tuple[str, ...] = ()
    """``ADDRESS:PORT``."""
    participants: int = 0
    timing: Timeliness = field(default_factory=Timeliness)
    remedy: Remedy = field(default_factory=Remedy)
    unplaced: Unplaced | None = None
    waiting: Waiting | None = None
    answer: Answer | None = None
    """To a person who asked for a move, where it is new."""
    refusal: Refusal | None = None
    """Why the cluster takes no pod that could run the room."""
    arrival: Arrival = field(default_factory=Arrival)
    """By the word of the pod that has it."""


def room_status(written: Mapping[str, Any], facts: RoomFacts, now_s: float) -> dict[str, Any]:
    """The whole status to be. ``written``: the one that is there; ``moves`` is kept from it."""
    room = facts.room
    status: dict[str, Any] = {
        "phase": phase(facts),
        "epoch": room.highest_epoch,
        "participants": facts.participants,
        "realtime": _realtime(facts.realtime),
        "observedGeneration": facts.generation,
        "conditions": settle(
            written.get("conditions", ()), conditions(facts), facts.generation, now_s
        ),
    }
    if room.pod:
        status |= {"podName": room.pod, "endpoint": {"url": facts.url, "udp": list(facts.udp)}}
    if room.twin:
        status["twinPodName"] = room.twin
    if facts.pod is not None and facts.pod.node:
        status["nodeName"] = facts.pod.node
    if facts.timing.p99_ms is not None:
        status["timing"] = _timing(written.get("timing") or {}, facts)
    if moves := _moves(written, facts, now_s):
        status["moves"] = moves
    return status


def _moves(written: Mapping[str, Any], facts: RoomFacts, now_s: float) -> dict[str, Any]:
    """How often and how well it was moved; drift, and what a person asked for, beside."""
    room, pod = facts.room, str(written.get("podName", ""))
    moves = dict(moves_status(written.get("moves") or {}, pod, room, facts.arrival, now_s))
    if room.drift is not None:
        moves["drift"] = room.drift.to_dict()
    answer = facts.answer or settled(room.answer, room.pod, moving=room.move is not None)
    if answer is not None:
        same = room.answer is not None and answer.says_as(room.answer)
        at_s = (room.answer.at_s if same and room.answer is not None else 0.0) or now_s
        moves["request"] = answer.to_dict(timestamp(at_s))
    return moves


def phase(facts: RoomFacts) -> str:
    """The room in one word."""
    if facts.unplaced is not None:
        waits = facts.refusal is None and facts.unplaced.reason == names.WAITING_FOR_POD
        return names.PENDING if waits else names.FAILED
    if facts.room.move is not None:
        return names.MOVING
    if facts.pod is None or not facts.confirmed or facts.standing is Standing.LOST:
        return names.PENDING
    if facts.standing is Standing.LEAVING and facts.pod.drain_reason != "Drift":
        return names.DRAINING
    healthy = facts.standing is Standing.SERVING and not facts.timing.fault()
    return names.READY if healthy else names.DEGRADED


def conditions(facts: RoomFacts) -> Iterable[Condition]:
    """All six, in the order in which people ask."""
    yield _ready(facts)
    yield _bound(facts)
    yield realtime_granted(facts.realtime)
    yield timing_healthy(facts.timing)
    yield _moving(facts)
    yield remediation_blocked(facts.remedy)


def _ready(facts: RoomFacts) -> Condition:
    reason, message = _why_not(facts)
    if reason:
        return Condition(names.READY, "False", reason, message)
    return Condition(names.READY, "True", names.AS_WANTED, f"people join at {facts.url}")


def _why_not(facts: RoomFacts) -> tuple[str, str]:
    """Reason and message; empty when people can join."""
    if facts.unplaced is not None and facts.refusal is not None:
        return names.POD_REFUSED, facts.refusal.message()
    if facts.unplaced is not None:
        return facts.unplaced.reason, facts.unplaced.message
    if facts.pod is None or facts.standing is Standing.LOST:
        return names.WAITING_FOR_POD, f"pod {facts.room.pod} is gone or silent"
    if facts.pod.deleting:
        return names.DRAIN, f"pod {facts.room.pod} is ending: nobody else gets in there"
    if not facts.confirmed:
        return names.WAITING_FOR_POD, f"pod {facts.room.pod} has not taken the room yet"
    return "", ""


def _bound(facts: RoomFacts) -> Condition:
    room = facts.room
    if room.pod:
        twin = f", its twin is {room.twin}" if room.twin else ""
        message = f"pod {room.pod} has it under epoch {room.epoch}{twin}"
        return Condition(names.BOUND, "True", names.POD_ASSIGNED, message)
    reason, message = _why_not(facts)
    return Condition(names.BOUND, "False", reason, message)


def _moving(facts: RoomFacts) -> Condition:
    move = facts.room.move
    if move is not None:
        message = f"to pod {move.to}, under epoch {move.epoch}"
        return Condition(names.MOVING, truth(True), move.reason or names.SPEC_CHANGED, message)
    message = facts.waiting.message if facts.waiting else ""
    return Condition(names.MOVING, truth(False), names.NOT_MOVING, message)


def _realtime(realtime: Granted) -> dict[str, Any]:
    fields: dict[str, Any] = {"mode": realtime.mode}
    if realtime.granted is not None:
        fields["granted"] = realtime.granted
    if realtime.granted is False:
        fields["reason"] = (realtime.message or realtime.reason)[:1024]
    return fields


def _timing(written: Mapping[str, Any], facts: RoomFacts) -> dict[str, Any]:
    """Where nobody is in the room its p99 is that of the last verdict: thousands of empty rooms
    are not written again whenever their pod is a little later."""
    said: dict[str, Any] = {"verdict": facts.timing.verdict}
    if facts.timing.since_s is not None:
        said["since"] = timestamp(facts.timing.since_s)
    before = {key: value for key, value in written.items() if key != "p99Ms"}
    keep = not facts.participants and "p99Ms" in written and before == said
    return said | {"p99Ms": written["p99Ms"] if keep else facts.timing.p99_ms}
