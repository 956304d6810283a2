"""Where a room goes that a person wants elsewhere. Guard rails do not bind a person."""

from __future__ import annotations

from voiceroom_operator.binding.pods import Fleet
from voiceroom_operator.binding.request import Answer, Request
from voiceroom_operator.observed import PodSeen, RoomSeen


def choose(fleet: Fleet, room: RoomSeen, request: Request) -> tuple[PodSeen | None, Answer]:
    """A pod, or the answer why there is none."""
    if request.problem:
        return None, _refused(request, request.problem)
    if not request.to:
        here = fleet.pods[room.pod].node
        found = fleet.best_owner(room, off=here) or fleet.best_owner(room)
        words = f"no other pod of MixerPool {room.pool} can take the room now"
        return found, Answer(request.id, "Waiting", message=words)
    if why := _against(fleet, room, request.to):
        return None, _refused(request, why)
    found = fleet.best_owner(room, on=request.to)
    words = f"no pod on node {request.to} has space for the room"
    return found, _refused(request, words)


def _against(fleet: Fleet, room: RoomSeen, node: str) -> str:
    if fleet.pods[room.pod].node == node:
        return f"the room is on node {node} already"
    if fleet.is_quarantined(node):
        return f"node {node} does not keep time: it gets nothing until it has"
    if not any(pod.node == node for pod in fleet.serving(room.pool)):
        return f"no pod of MixerPool {room.pool} is in service on node {node}"
    return ""


def _refused(request: Request, words: str) -> Answer:
    return Answer(request.id, "Refused", message=words)
