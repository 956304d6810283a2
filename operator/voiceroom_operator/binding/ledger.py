"""What each pod carries and still can carry, kept up to date while a plan is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import PodSeen, RoomSeen


@dataclass(slots=True)
class Load:
    """One pod's rooms; sums are kept, since every pod is looked at for every room."""

    owned: dict[str, RoomSeen] = field(default_factory=dict)
    reserved: dict[str, RoomSeen] = field(default_factory=dict)
    """Those it is the twin of: it may have to run them at any moment."""
    dedicated: int = 0
    """Of the owned."""
    legs: int = 0
    """Of the owned, and of the reserved that are not owned."""
    reserve: float = 0.0
    """Share of the frame that the reserved will add."""
    unmeasured: float = 0.0
    """Share of the frame that rooms of this plan will add."""

    def own(self, room: RoomSeen) -> None:
        """The pod runs the room, or is about to."""
        self.legs += 0 if room.name in self.reserved else room.legs
        self.dedicated += room.dedicated
        self.owned[room.name] = room

    def stand_by(self, room: RoomSeen, cost: float) -> None:
        """The pod is the room's twin."""
        self.legs += 0 if room.name in self.owned else room.legs
        self.reserve += cost
        self.reserved[room.name] = room

    def forget(self, room: RoomSeen, cost: float) -> None:
        """The pod has nothing to do with the room any more."""
        if room.name in self.owned or room.name in self.reserved:
            self.legs -= room.legs
        if self.owned.pop(room.name, None):
            self.dedicated -= room.dedicated
        if self.reserved.pop(room.name, None):
            self.reserve -= cost

    def others(self, room: RoomSeen) -> int:
        """How many rooms there are beside ``room``, owned or reserved."""
        both = len(self.owned.keys() & self.reserved.keys()) if self.owned else 0
        known = room.name in self.owned or room.name in self.reserved
        return len(self.owned) + len(self.reserved) - both - known


@dataclass(frozen=True, slots=True)
class Caps:
    """Of one pod of a pool."""

    rooms: int
    participants: int


class Ledger:
    """The load of every pod, by its name."""

    def __init__(self, rooms: Iterable[RoomSeen], limits: Limits) -> None:
        self._loads: dict[str, Load] = {}
        self._limits = limits
        for room in rooms:
            self._enter(room)

    def load(self, pod: str) -> Load:
        """What the pod of this name carries."""
        return self._loads.setdefault(pod, Load())

    def owned_counts(self) -> dict[str, int]:
        """Rooms bound to each pod that has any."""
        return {pod: len(load.owned) for pod, load in self._loads.items() if load.owned}

    def rebind(self, room: RoomSeen, after: RoomSeen) -> None:
        """``room`` has become ``after``."""
        for name in {room.pod, room.twin, room.move.to if room.move else ""}:
            self.load(name).forget(room, self.cost(room))
        self._enter(after)
        if after.pod not in ("", room.pod):
            self.load(after.pod).unmeasured += self.cost(after)

    def _enter(self, room: RoomSeen) -> None:
        for name in {room.pod, room.move.to if room.move else ""} - {""}:
            self.load(name).own(room)
        if room.twin:
            self.load(room.twin).stand_by(room, self.cost(room))

    def cost(self, room: RoomSeen) -> float:
        """The share of a frame that the room will take, guessed until it is measured."""
        return self._limits.room_share + room.legs * self._limits.leg_share

    def headroom(self, pod: PodSeen) -> float:
        """Share of the frame that is free on ``pod``, what it may have to take over apart."""
        load = self.load(pod.name)
        measured = 1.0 if pod.headroom is None else pod.headroom
        return measured - load.unmeasured - load.reserve

    def takes(self, pod: PodSeen, room: RoomSeen, caps: Caps) -> bool:
        """Whether ``room`` fits on ``pod`` beside all that it carries and may have to take over."""
        load = self.load(pod.name)
        known = room.name in load.owned or room.name in load.reserved
        legs = load.legs if known else load.legs + room.legs
        if load.others(room) >= caps.rooms or legs > caps.participants:
            return False
        own_reserve = self.cost(room) if room.name in load.reserved else 0.0
        free = self.headroom(pod) + own_reserve - self.cost(room)
        return free >= self._limits.min_headroom
