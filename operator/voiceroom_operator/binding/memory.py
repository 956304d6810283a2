"""What is kept of a namespace's rooms from one plan to the next, so that a plan looks at those only
about which there may be something to decide.

Nothing here decides: a room that is passed over is one that ``planner`` would leave as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voiceroom_operator.binding.epochs import Claim
from voiceroom_operator.binding.ledger import Load, owners
from voiceroom_operator.binding.pods import Face, Fleet
from voiceroom_operator.binding.request import is_open
from voiceroom_operator.grouping import NOBODY, Group, Groups, differences, regrouped
from voiceroom_operator.observed import Held, PodSeen, RoomSeen, Standing

_Rooms = Group[RoomSeen]


@dataclass(frozen=True, slots=True)
class _Loaded:
    owned: _Rooms
    reserved: _Rooms
    load: Load


@dataclass(frozen=True, slots=True)
class _Said:
    holds: tuple[Held, ...]
    rooms: _Rooms
    odd: tuple[Held, ...]
    """Rooms that the pod says it runs and that are not on record as its own."""


@dataclass(frozen=True, slots=True)
class _Judged:
    rooms: _Rooms
    faces: Mapping[str, Face | None]
    """Of all pods that the rooms have to do with."""
    places: frozenset[tuple[str, str]]
    open: tuple[RoomSeen, ...]

    def holds(self, rooms: _Rooms, fleet: Fleet, places: frozenset[tuple[str, str]]) -> bool:
        """Whether it would be judged the same again."""
        if self.rooms is not rooms or self.places != places:
            return False
        return all(fleet.face(name) == face for name, face in self.faces.items())


class Memory:
    """Of one namespace."""

    def __init__(self) -> None:
        self.rooms: Mapping[str, RoomSeen] = {}
        self._homes: Groups[RoomSeen] = {}
        self._owners: Groups[RoomSeen] = {}
        self._twins: Groups[RoomSeen] = {}
        self._loaded: dict[str, _Loaded] = {}
        self._said: dict[str, _Said] = {}
        self._judged: dict[str, _Judged] = {}
        self.looked_at = 0
        """Rooms that were judged, ever."""

    def take(self, rooms: Mapping[str, RoomSeen]) -> None:
        """These are the rooms now."""
        before, changed = self.rooms, differences(self.rooms, rooms)
        self._homes = regrouped(self._homes, before, rooms, changed, _home)
        self._owners = regrouped(self._owners, before, rooms, changed, _owners)
        self._twins = regrouped(self._twins, before, rooms, changed, _twins)
        self.rooms = rooms

    def loads(self) -> dict[str, Load]:
        """Of every pod that has to do with a room."""
        names = self._owners.keys() | self._twins.keys()
        self._loaded = {name: self._load(name) for name in names}
        return {name: loaded.load for name, loaded in self._loaded.items()}

    def _load(self, pod: str) -> _Loaded:
        owned, reserved = self._owners.get(pod, NOBODY), self._twins.get(pod, NOBODY)
        known = self._loaded.get(pod)
        if known is not None and known.owned is owned and known.reserved is reserved:
            return known
        load = Load()
        for room in owned.values():
            load.own(room)
        for room in reserved.values():
            load.stand_by(room)
        return _Loaded(owned, reserved, load)

    def claims(self, fleet: Fleet) -> dict[str, list[Claim]]:
        """By room: pods that say they run it, where that is not what is on record."""
        self._said = {pod.name: self._say(pod) for pod in fleet.pods.values()}
        found: dict[str, list[Claim]] = defaultdict(list)
        for pod in fleet.pods.values():
            if fleet.standing(pod.name) is not Standing.LOST:
                for held in self._said[pod.name].odd:
                    found[held.room].append((pod, held))
        return dict(found)

    def _say(self, pod: PodSeen) -> _Said:
        rooms, known = self._homes.get(pod.name, NOBODY), self._said.get(pod.name)
        if known is not None and known.holds is pod.holds and known.rooms is rooms:
            return known
        odd = tuple(held for held in pod.holds if held.role == "owner" and _is_odd(held, rooms))
        return _Said(pod.holds, rooms, odd)

    def open(self, fleet: Fleet, named: Iterable[str]) -> dict[str, RoomSeen]:
        """Rooms about which there may be something to decide, by name; all that are ``named``."""
        places = fleet.places()
        self._judged = {
            pod: self._judge(pod, rooms, fleet, places) for pod, rooms in self._homes.items() if pod
        }
        found = dict(self._homes.get("", NOBODY))
        for judged in self._judged.values():
            found.update((room.name, room) for room in judged.open)
        for name in named:
            if name in self.rooms and not self.rooms[name].deleting:
                found[name] = self.rooms[name]
        return found

    def reserved_at(self, pod: str) -> Iterable[RoomSeen]:
        """Rooms whose twin is the pod, by what is on record."""
        return self._twins.get(pod, NOBODY).values()

    def _judge(
        self, pod: str, rooms: _Rooms, fleet: Fleet, places: frozenset[tuple[str, str]]
    ) -> _Judged:
        known = self._judged.get(pod)
        if known is not None and known.holds(rooms, fleet, places):
            return known
        self.looked_at += len(rooms)
        involved = {pod, *(room.twin for room in rooms.values())}
        faces = {name: fleet.face(name) for name in involved}
        open_ = tuple(room for room in rooms.values() if not is_settled(room, fleet))
        return _Judged(rooms, faces, places, open_)


def is_settled(room: RoomSeen, fleet: Fleet) -> bool:
    """Whether there is nothing to decide about the room, unless it is named. It depends on the
    faces of its pods and on ``Fleet.places`` only."""
    pod = fleet.pods.get(room.pod)
    if pod is None or pod.pool != room.pool or room.dedicated or room.move is not None:
        return False
    if is_open(room.request, room.answer):
        return False
    if fleet.standing(room.pod) not in (Standing.SERVING, Standing.UNREADY):
        return False
    return fleet.is_fit_twin(room) or not fleet.has_elsewhere(room)


def _is_odd(held: Held, rooms: Mapping[str, RoomSeen]) -> bool:
    room = rooms.get(held.room)
    return room is None or held.epoch != room.epoch


def _home(room: RoomSeen) -> tuple[str, ...]:
    return () if room.deleting else (room.pod,)


def _owners(room: RoomSeen) -> tuple[str, ...]:
    return () if room.deleting else owners(room)


def _twins(room: RoomSeen) -> tuple[str, ...]:
    return (room.twin,) if room.twin and not room.deleting else ()
