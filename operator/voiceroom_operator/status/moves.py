"""``status.moves`` of a VoiceRoom: the move that is under way, and those that were.

``last`` is a move's whole record: what was intended stands there before any pod hears of it, what
came of it is added, so that an operator that begins anew goes on where another was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_api import names
from voiceroom_operator.observed import RoomSeen
from voiceroom_operator.status.conditions import timestamp

HISTORY: Final = 10


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a pod says of how a room came to it."""

    epoch: int = 0
    """Under which; 0 = it says nothing."""
    gap_ms: int = 0
    lost_frames: int = 0


def moves_status(
    written: Mapping[str, Any], pod: str, room: RoomSeen, arrival: Arrival, now_s: float
) -> Mapping[str, Any]:
    """``written``: what stands there; ``pod``: that had the room so far; ``room``: as it is on
    record from now on."""
    last = written.get("last") or {}
    under_way = bool(last.get("to")) and "switchedAt" not in last and "endedAt" not in last
    if room.move is not None and last.get("id") != room.move.id:
        kept = _ended(written, room, arrival, now_s) if under_way else written
        return {"count": 0} | dict(kept) | {"last": _begun(room, now_s)}
    if room.move is None and under_way:
        return _ended(written, room, arrival, now_s)
    if pod not in ("", room.pod) and room.pod and arrival.epoch == room.epoch:
        return _ended(dict(written) | {"last": _taken(pod, room, now_s)}, room, arrival, now_s)
    return written


def _taken(pod: str, room: RoomSeen, now_s: float) -> dict[str, Any]:
    """What nobody had decided: a twin took the room over."""
    return {
        "id": f"take-over-{room.epoch}",
        "reason": names.NODE_LOST,
        "from": pod,
        "to": room.pod,
        "epoch": room.epoch,
        "startedAt": timestamp(now_s),
    }


def _begun(room: RoomSeen, now_s: float) -> dict[str, Any]:
    assert room.move is not None
    return {
        "id": room.move.id,
        "reason": room.move.reason,
        "from": room.pod,
        "to": room.move.to,
        "epoch": room.move.epoch,
        "fromEpoch": room.epoch,
        "startedAt": timestamp(now_s),
    }


def _ended(
    written: Mapping[str, Any], room: RoomSeen, arrival: Arrival, now_s: float
) -> dict[str, Any]:
    """With its end: the new pod has it, or it was given up."""
    last = dict(written.get("last") or {})
    switched = room.pod == last.get("to")
    last["switchedAt" if switched else "endedAt"] = timestamp(now_s)
    if switched and arrival.epoch in (room.epoch, last.get("epoch")):
        last |= {"gapMs": arrival.gap_ms, "lostFrames": arrival.lost_frames}
    history = [last, *(written.get("history") or ())][:HISTORY]
    return {"count": written.get("count", 0) + switched, "last": last, "history": history}
