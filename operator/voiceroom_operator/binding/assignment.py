"""The document that tells a pod its own rooms, and those it is the twin of (contract: admin API).

Whole and idempotent: ``PUT /admin/v1/assignment``. Built from what is on record, never from a
plan that was not written yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_operator.observed import Role, RoomSeen

MAX_PEERS: Final = 4
"""Witnesses of a pod's silence. Every pod of the pool beats to them 20 times a second, so that with
all for witnesses an empty pod of a pool of 20 took a third more CPU; one that hears is a veto."""


def spread(nodes: Mapping[str, str]) -> list[str]:
    """Pods in the order in which they are witnesses, the same for all who ask: the first of each
    node before any second one. ``nodes``: by name of the pod."""
    taken: Counter[str] = Counter()
    ranked: list[tuple[int, str]] = []
    for name, node in sorted(nodes.items()):
        ranked.append((taken[node], name))
        taken[node] += 1
    return [name for _, name in sorted(ranked)]


@dataclass(frozen=True, slots=True)
class RoomCard:
    """What a pod needs to know of a room beside who runs it."""

    spec: Mapping[str, Any]
    """The VoiceRoom's spec, defaults written out."""
    pin_hash: str = ""
    """Empty = the room has no PIN."""
    ice_servers: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Seat:
    """A pod's part in a room."""

    room: RoomSeen
    role: Role

    def to_dict(self, card: RoomCard) -> dict[str, Any]:
        """The room's entry in the pod's document."""
        entry: dict[str, Any] = {
            "name": self.room.name,
            "uid": self.room.uid,
            "epoch": self.room.epoch,
            "role": self.role,
            "spec": dict(card.spec),
        }
        entry |= self._others()
        if card.pin_hash:
            entry["pinHash"] = card.pin_hash
        if card.ice_servers:
            entry["iceServers"] = [dict(server) for server in card.ice_servers]
        return entry

    def _others(self) -> dict[str, Any]:
        """Who else has a part in the room."""
        room = self.room
        if self.role == "twin":
            return {"owner": room.pod}
        if self.role == "successor" and room.move is not None:
            return {"owner": room.pod, "epoch": room.move.epoch, "move": room.move.id}
        return {"twin": room.twin} if room.twin else {}


def seats(rooms: Iterable[RoomSeen]) -> dict[str, tuple[Seat, ...]]:
    """Of each pod that has any, in the order of the rooms' names."""
    every = tuple(rooms)
    pods = {pod for room in every for pod in parts_of(room)}
    return {pod: seats_at(pod, every) for pod in pods}


def seats_at(pod: str, rooms: Iterable[RoomSeen]) -> tuple[Seat, ...]:
    """Of one pod, in the order of the rooms' names."""
    here = ((room, parts_of(room).get(pod)) for room in sorted(rooms, key=lambda r: r.name))
    return tuple(Seat(room, role) for room, role in here if role is not None)


def parts_of(room: RoomSeen) -> dict[str, Role]:
    """Who has to do with the room, and as what."""
    if room.deleting or not room.pod:
        return {}
    parts: dict[str, Role] = {room.pod: "owner"}
    if room.move is not None and room.move.to:
        parts.setdefault(room.move.to, "successor")
    if room.twin:
        parts.setdefault(room.twin, "twin")
    return parts


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a pod was told last."""

    generation: int = 0
    """Grows by one with each change; 0 = it was told nothing yet."""
    rooms: tuple[dict[str, Any], ...] = ()
    pod: Mapping[str, Any] = field(default_factory=dict)
    """``pod_settings``: what may change while the pod runs."""

    def to_dict(self, term: int) -> dict[str, Any]:
        """The document; ``term`` is the leader's."""
        head = {"term": term, "generation": self.generation}
        return head | dict(self.pod) | {"rooms": list(self.rooms)}


def pod_settings(
    spec: MixerPoolSpec, advertise: tuple[str, ...], peers: tuple[str, ...] = ()
) -> dict[str, Any]:
    """What concerns the pod as a whole. ``advertise``: addresses, literals; ``peers``: ``IP:PORT``
    of other pods' media, who are asked before a twin takes over."""
    capacity, scheduling = spec.capacity, spec.scheduling
    return {
        "limits": {"rooms": capacity.rooms, "participants": capacity.participants},
        "advertise": list(advertise),
        "peers": list(peers[:MAX_PEERS]),
        "scheduling": {
            "alpha": scheduling.alpha,
            "beta": scheduling.beta,
            "baseRate": scheduling.base_rate,
            "deadlineMs": scheduling.deadline_ms,
        },
    }


def next_assignment(
    last: Assignment,
    taken: Iterable[Seat],
    cards: Mapping[str, RoomCard],
    pod: Mapping[str, Any],
) -> Assignment:
    """``last`` itself when nothing has changed. ``cards``: by the room's name; ``pod``: from
    ``pod_settings``."""
    rooms = tuple(seat.to_dict(cards[seat.room.name]) for seat in taken)
    if last.generation and (rooms, pod) == (last.rooms, last.pod):
        return last
    return Assignment(last.generation + 1, rooms, pod)
