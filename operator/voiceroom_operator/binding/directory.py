"""Where the rooms of a pool live, told to its pods as numbered deltas (contract: admin API)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from operator import is_
from typing import Any, Final

from voiceroom_operator.grouping import differences

REMEMBERED: Final = 256
"""Deltas that are kept for pods that lag; who lags further gets the directory whole."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a room is."""

    pod: str
    address: str
    """``HOST:PORT`` of the pod's admin listener."""
    epoch: int

    def to_dict(self) -> dict[str, Any]:
        """As in the document."""
        return {"pod": self.pod, "address": self.address, "epoch": self.epoch}


@dataclass(frozen=True, slots=True)
class _Delta:
    set: Mapping[str, Place]
    gone: frozenset[str]


class Directory:
    """The places of a pool's rooms, and how they came to be so.

    ``number`` counts the changes. The document ``{"term", "from", "to", "set", "gone"}`` takes a
    pod from number ``from`` to ``to``; ``from`` 0 replaces all that the pod knew.
    """

    def __init__(self) -> None:
        self.number = 0
        self._places: Mapping[str, Place] = {}
        self._parts: tuple[Mapping[str, Place], ...] = ()
        self._deltas: deque[_Delta] = deque(maxlen=REMEMBERED)

    def update(self, *parts: Mapping[str, Place]) -> bool:
        """Take the places of ``parts`` for the truth; whether anything has changed. A part is
        never changed: where all are the same objects as before nothing is."""
        if len(parts) == len(self._parts) and all(map(is_, parts, self._parts)):
            return False
        self._parts = parts
        places: dict[str, Place] = {}
        for part in parts:
            places |= part
        before = self._places
        changed = {
            room: places[room]
            for room in differences(before, places)
            if room in places and places[room] != before.get(room)
        }
        gone = frozenset(before.keys() - places.keys())
        if not changed and not gone:
            return False
        self._places = places
        self._deltas.append(_Delta(changed, gone))
        self.number += 1
        return True

    def document(self, term: int, known: int) -> dict[str, Any] | None:
        """What a pod that is at number ``known`` needs; None = nothing.

        ``known`` is the number that this directory last brought the pod to, 0 before that: such a
        pod, and one that lags too far, gets the directory whole.
        """
        if known == self.number:
            return None
        missed = self.number - known
        if known <= 0 or missed > len(self._deltas):
            return _document(term, 0, self.number, _Delta(self._places, frozenset()))
        merged: dict[str, Place] = {}
        gone: set[str] = set()
        for delta in list(self._deltas)[-missed:]:
            merged = {room: p for room, p in merged.items() if room not in delta.gone}
            merged.update(delta.set)
            gone = (gone | delta.gone) - delta.set.keys()
        return _document(term, known, self.number, _Delta(merged, frozenset(gone)))


def _document(term: int, start: int, end: int, delta: _Delta) -> dict[str, Any]:
    return {
        "term": term,
        "from": start,
        "to": end,
        "set": {room: place.to_dict() for room, place in sorted(delta.set.items())},
        "gone": sorted(delta.gone),
    }
