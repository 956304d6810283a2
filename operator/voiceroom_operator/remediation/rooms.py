"""Which rooms leave, and which stay though they ought to leave: each room has guard rails too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from voiceroom_api import names
from voiceroom_operator.remediation.case import PoolCase, RoomView
from voiceroom_operator.remediation.guards import Blocked
from voiceroom_operator.remediation.records import Evacuation
from voiceroom_operator.remediation.shedding import Weight, fewest
from voiceroom_operator.remediation.suspects import PodView
from voiceroom_operator.status.conditions import timestamp


@dataclass(frozen=True, slots=True)
class Leaving:
    """Of the rooms of a pool."""

    leave: Mapping[str, str] = field(default_factory=dict)
    """Room and cause."""
    held: Mapping[str, Blocked] = field(default_factory=dict)
    free_s: tuple[float, ...] = ()
    """When a room that is held may leave, Unix time."""

    def joined(self, other: Leaving) -> Leaving:
        """Both."""
        return Leaving(
            {**self.leave, **other.leave}, {**self.held, **other.held}, self.free_s + other.free_s
        )


def leaving(
    case: PoolCase, active: Iterable[Evacuation], stop: Blocked | None, now_s: float
) -> Leaving:
    """Rooms of what is being left. ``stop``: why nothing moves now."""
    causes = {pod.name: cause for pod in case.pods if (cause := _cause(active, pod))}
    rooms = [room for room in case.rooms if room.pod in causes]
    held = {room.name: why for room in rooms if (why := stop or held_back(case, room, now_s))}
    free = tuple(_free_s(case, r) for r in rooms if _is_cooling(case, r, now_s))
    leave = {room.name: causes[room.pod] for room in rooms if room.name not in held}
    return Leaving(leave, held, free)


def _cause(active: Iterable[Evacuation], pod: PodView) -> str:
    for entry in active:
        if entry.uid == pod.uid if entry.what == "Pod" else entry.name == pod.node:
            return entry.cause
    return ""


def held_back(case: PoolCase, room: RoomView, now_s: float) -> Blocked | None:
    """The room's own guard rail that keeps it where it is."""
    mode = room.mode or case.policy.mode
    if room.paused:
        return Blocked(names.PAUSED, f"spec.remediation.paused: {room.paused}")
    if mode == "Off":
        return Blocked(names.SWITCHED_OFF, "spec.remediation.mode is Off")
    if mode == "DryRun":
        return Blocked(names.DRY_RUN, "spec.remediation.mode is DryRun: it would be moved now")
    if _is_cooling(case, room, now_s):
        free = timestamp(_free_s(case, room))
        message = f"moved on account of drift not long ago: it stays until {free}"
        return Blocked(names.COOLDOWN_ACTIVE, message)
    return None


def _is_cooling(case: PoolCase, room: RoomView, now_s: float) -> bool:
    """Nobody hears an empty room move."""
    return room.drift is not None and room.legs > 0 and now_s < _free_s(case, room)


def _free_s(case: PoolCase, room: RoomView) -> float:
    return room.drift.free_s(case.policy) if room.drift is not None else 0.0


def relief(case: PoolCase, pod: PodView, stop: Blocked | None, now_s: float) -> Leaving:
    """The fewest rooms that cure an overloaded pod, unless some have just left it."""
    rooms = [room for room in case.rooms if room.pod == pod.name]
    held = {room.name: why for room in rooms if (why := stop or held_back(case, room, now_s))}
    settled_s = _settled_s(case, pod)
    if now_s < settled_s or any(room.moving for room in rooms):
        return Leaving(free_s=(settled_s,))
    weights = [_weight(room, _may_go(held.get(room.name))) for room in rooms]
    chosen = fewest(weights, _used(pod, rooms))
    free = tuple(_free_s(case, room) for room in rooms if _is_cooling(case, room, now_s))
    if not chosen:
        return Leaving({}, held, free)
    said = {name: held[name] for name in chosen if name in held}
    return Leaving({name: names.OVERLOAD for name in chosen if name not in said}, said)


def _may_go(why: Blocked | None) -> bool:
    """A dry run chooses as if it would act."""
    return why is None or why.reason == names.DRY_RUN


def _settled_s(case: PoolCase, pod: PodView) -> float:
    """When the pod's windows show what the last relief has done."""
    left = [r.drift.at_s for r in case.rooms if r.drift is not None and r.drift.pod == pod.name]
    return max(left, default=0.0) + case.policy.span_s + 1.0


def _weight(room: RoomView, free: bool) -> Weight:
    return Weight(room.name, room.legs, room.cost, free)


def _used(pod: PodView, rooms: Sequence[RoomView]) -> float:
    """The share of a frame that ticks take at p99; the shortest frame counts."""
    frame_ms = min((room.frame_ms for room in rooms), default=20.0)
    measured = pod.evidence.work_ms / frame_ms
    return max(measured, 1.0 - (1.0 if pod.headroom is None else pod.headroom))
