"""What each pod carries and still can carry, kept up to date while a plan is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import PodSeen, RoomSeen


@dataclass(slots=True)
class Amount:
    """Rooms and the legs in them."""

    rooms: int = 0
    legs: int = 0

    def add(self, room: RoomSeen, sign: int = 1) -> None:
        """One more; ``sign`` -1: one less."""
        self.rooms += sign
        self.legs += sign * room.legs


@dataclass(slots=True)
class Load:
    """One pod's rooms; sums are kept, since every pod is looked at for every room. They are whole
    numbers, so that it is the same by whatever way it has come about."""

    owned: dict[str, RoomSeen] = field(default_factory=dict)
    reserved: dict[str, RoomSeen] = field(default_factory=dict)
    """Those it is the twin of: it may have to run them at any moment."""
    dedicated: int = 0
    """Of the owned."""
    both: int = 0
    """How many are owned and reserved."""
    legs: int = 0
    """Of the owned, and of the reserved that are not owned."""
    reserve: Amount = field(default_factory=Amount)
    """Of the reserved that somebody is in: an empty room takes next to nothing of a frame, and a
    pod that is the twin of many would seem full of them."""
    unmeasured: Amount = field(default_factory=Amount)
    """What this plan has added."""

    def own(self, room: RoomSeen) -> None:
        """The pod runs the room, or is about to."""
        known = room.name in self.reserved
        self.both += known
        self.legs += 0 if known else room.legs
        self.dedicated += room.dedicated
        self.owned[room.name] = room

    def stand_by(self, room: RoomSeen) -> None:
        """The pod is the room's twin."""
        known = room.name in self.owned
        self.both += known
        self.legs += 0 if known else room.legs
        if room.legs:
            self.reserve.add(room)
        self.reserved[room.name] = room

    def forget(self, room: RoomSeen) -> None:
        """The pod has nothing to do with the room any more."""
        owned = self.owned.pop(room.name, None) is not None
        reserved = self.reserved.pop(room.name, None)
        self.both -= owned and reserved is not None
        self.legs -= room.legs if owned or reserved is not None else 0
        self.dedicated -= owned and room.dedicated
        if reserved is not None and reserved.legs:
            self.reserve.add(reserved, -1)

    def others(self, room: RoomSeen) -> int:
        """How many rooms there are beside ``room``, owned or reserved."""
        known = room.name in self.owned or room.name in self.reserved
        return len(self.owned) + len(self.reserved) - self.both - known

    def copy(self) -> Load:
        """For a plan to go on with."""
        return replace(
            self,
            owned=dict(self.owned),
            reserved=dict(self.reserved),
            reserve=replace(self.reserve),
            unmeasured=replace(self.unmeasured),
        )


@dataclass(frozen=True, slots=True)
class Caps:
    """Of one pod of a pool."""

    rooms: int
    participants: int


class Ledger:
    """The load of every pod, by its name."""

    def __init__(self, loads: Mapping[str, Load], limits: Limits) -> None:
        """``loads``: as rooms are on record; they stay as they are."""
        self._loads = dict(loads)
        self._limits = limits
        self._own: set[str] = set()

    def load(self, pod: str) -> Load:
        """What the pod of this name carries."""
        return self._loads.get(pod) or self._loads.setdefault(pod, Load())

    def _open(self, pod: str) -> Load:
        """The same, to be changed."""
        if pod not in self._own:
            self._own.add(pod)
            self._loads[pod] = self.load(pod).copy()
        return self._loads[pod]

    def changed(self) -> frozenset[str]:
        """Pods whose load is not what is on record."""
        return frozenset(self._own)

    def owned_counts(self) -> dict[str, int]:
        """Rooms bound to each pod that has any."""
        return {pod: len(load.owned) for pod, load in self._loads.items() if load.owned}

    def rebind(self, room: RoomSeen, after: RoomSeen) -> None:
        """``room`` has become ``after``."""
        for name in {*owners(room), room.twin} - {""}:
            self._open(name).forget(room)
        for name in owners(after):
            self._open(name).own(after)
        if after.twin:
            self._open(after.twin).stand_by(after)
        if after.pod not in ("", room.pod):
            self._open(after.pod).unmeasured.add(after)

    def cost(self, room: RoomSeen) -> float:
        """The share of a frame that the room will take, guessed until it is measured."""
        return self._share(Amount(1, room.legs))

    def _share(self, of: Amount) -> float:
        return of.rooms * self._limits.room_share + of.legs * self._limits.leg_share

    def headroom(self, pod: PodSeen) -> float:
        """Share of the frame that is free on ``pod``, what it may have to take over apart."""
        load = self.load(pod.name)
        measured = 1.0 if pod.headroom is None else pod.headroom
        return measured - self._share(load.unmeasured) - self._share(load.reserve)

    def takes(self, pod: PodSeen, room: RoomSeen, caps: Caps) -> bool:
        """Whether ``room`` fits on ``pod`` beside all that it carries and may have to take over."""
        load = self.load(pod.name)
        known = room.name in load.owned or room.name in load.reserved
        legs = load.legs if known else load.legs + room.legs
        if load.others(room) >= caps.rooms or legs > caps.participants:
            return False
        held = load.reserved.get(room.name)
        own_reserve = self.cost(held) if held is not None and held.legs else 0.0
        free = self.headroom(pod) + own_reserve - self.cost(room)
        return free >= self._limits.min_headroom


def owners(room: RoomSeen) -> tuple[str, ...]:
    """Pods that run the room, or are about to: names."""
    target = room.move.to if room.move else ""
    return tuple(name for name in dict.fromkeys((room.pod, target)) if name)
