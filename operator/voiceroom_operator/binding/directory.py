"""Where the rooms of a pool live, told to its pods as numbered deltas (contract: admin API)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

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
        self._parts: tuple[Mapping[str, Place], ...] = ()
        self._deltas: deque[_Delta] = deque(maxlen=REMEMBERED)

    def update(self, *parts: Mapping[str, Place]) -> bool:
        """Take the places of ``parts`` for the truth; whether anything has changed. No room is in
        two of them. A part is never changed: one that is the same object is not looked at."""
        here, there = ({id(part): part for part in each} for each in (parts, self._parts))
        was = _merged(part for key, part in there.items() if key not in here)
        now = _merged(part for key, part in here.items() if key not in there)
        self._parts = parts
        changed = {room: place for room, place in now.items() if place != was.get(room)}
        gone = frozenset(was.keys() - now.keys())
        if not changed and not gone:
            return False
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
            return _document(term, 0, self.number, _Delta(_merged(self._parts), frozenset()))
        merged: dict[str, Place] = {}
        gone: set[str] = set()
        for delta in list(self._deltas)[-missed:]:
            merged = {room: p for room, p in merged.items() if room not in delta.gone}
            merged.update(delta.set)
            gone = (gone | delta.gone) - delta.set.keys()
        return _document(term, known, self.number, _Delta(merged, frozenset(gone)))


def _merged(parts: Iterable[Mapping[str, Place]]) -> dict[str, Place]:
    merged: dict[str, Place] = {}
    for part in parts:
        merged |= part
    return merged


def _document(term: int, start: int, end: int, delta: _Delta) -> dict[str, Any]:
    return {
        "term": term,
        "from": start,
        "to": end,
        "set": {room: place.to_dict() for room, place in sorted(delta.set.items())},
        "gone": sorted(delta.gone),
    }
