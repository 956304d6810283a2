"""Which listeners hear the same: one key for each distinct mix, one array of slots for each key.

A key says in what a mix differs from the one that everybody hears: pairs of (talker's slot,
factor). Keys are made from the current talkers only, so a listener with wishes about people who
are silent still shares the common mix. The common mix's listeners are never looped over: they are
all slots without the few that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.mix.bus import Gains

Slots = NDArray[np.int32]
_Name = TypeVar("_Name", str, int)
MixKey = tuple[tuple[int, float], ...]
COMMON: Final[MixKey] = ()
OWN: Final = -1.0
"""Factor of a talker who is the listener himself: absent, and not even faded out."""


@dataclass(slots=True)
class _Listener:
    participant: str
    hears: dict[int, float]


@dataclass(frozen=True, slots=True)
class Grouping:
    """Listeners by mix; the keys are those that have listeners."""

    listeners: dict[MixKey, Slots]
    special: dict[int, MixKey]
    """The key of every listener who does not hear the common mix."""

    def key_of(self, slot: int) -> MixKey:
        """The mix that a listener hears."""
        return self.special.get(slot, COMMON)


EMPTY: Final = Grouping({}, {})


class Listeners:
    """All who listen in one room. ``version`` grows with every change."""

    def __init__(self) -> None:
        self._listeners: dict[int, _Listener] = {}
        self._by_participant: dict[str, set[int]] = {}
        self._by_source: dict[int, set[int]] = {}
        self._told: set[int] = set()
        self._all: Slots | None = None
        self._shared = False
        self.version = 0

    def __contains__(self, slot: int) -> bool:
        return slot in self._listeners

    def place(
        self, slot: int, participant: str, hears: Mapping[int, float], *, levels: bool = True
    ) -> None:
        """Add or change a listener; ``hears`` are linear gains by the talker's slot, ``levels``
        whether he is told who is heard (RFC 6465)."""
        self.remove(slot)
        if levels:
            self._told.add(slot)
        wishes = {source: max(0.0, gain) for source, gain in hears.items() if gain != 1.0}
        self._listeners[slot] = _Listener(participant, wishes)
        self._by_participant.setdefault(participant, set()).add(slot)
        for source in wishes:
            self._by_source.setdefault(source, set()).add(slot)
        self._changed()

    def remove(self, slot: int) -> None:
        """Forget a listener; one that is not there is no error."""
        listener = self._listeners.pop(slot, None)
        if listener is None:
            return
        _discard(self._by_participant, listener.participant, slot)
        for source in listener.hears:
            _discard(self._by_source, source, slot)
        self._told.discard(slot)
        self._changed()

    def share(self, shared: bool) -> None:
        """Whether gains that listeners have set for others are left out, so that all who do not
        talk hear the same. Whom they have muted they do not hear all the same."""
        if shared is not self._shared:
            self._shared = shared
            self.version += 1

    def any_told(self, slots: Slots) -> bool:
        """Whether any of these is told who is heard."""
        return bool(self._told) and not self._told.isdisjoint(slots.tolist())

    def group(self, talkers: Mapping[int, str]) -> Grouping:
        """The distinct mixes for these talkers (slot to participant)."""
        special = {}
        for slot in self._affected(talkers):
            key = self._key(slot, talkers)
            if key != COMMON:
                special[slot] = key
        return Grouping(self._gather(special), special)

    def gather(self, special: dict[int, MixKey]) -> Grouping:
        """A grouping in which these listeners have these keys, and all others hear the common
        mix."""
        return Grouping(self._gather(special), special)

    def _changed(self) -> None:
        self._all = None
        self.version += 1

    def _affected(self, talkers: Mapping[int, str]) -> set[int]:
        affected: set[int] = set()
        for slot, participant in talkers.items():
            affected |= self._by_participant.get(participant, set())
            affected |= self._by_source.get(slot, set())
        return affected

    def _key(self, slot: int, talkers: Mapping[int, str]) -> MixKey:
        listener = self._listeners[slot]
        factors = {
            source: gain
            for source, gain in listener.hears.items()
            if source in talkers and not (self._shared and gain)
        }
        for source, participant in talkers.items():
            if participant == listener.participant:
                factors[source] = OWN
        return tuple(sorted(factors.items()))

    def _gather(self, special: dict[int, MixKey]) -> dict[MixKey, Slots]:
        if self._all is None:
            self._all = np.array(sorted(self._listeners), np.int32)
        common = self._all
        if special:
            others = np.array(sorted(special), np.int32)
            common = np.delete(common, np.searchsorted(common, others))
        groups = {COMMON: common} if len(common) else {}
        members: dict[MixKey, list[int]] = {}
        for slot in sorted(special):
            members.setdefault(special[slot], []).append(slot)
        return groups | {key: np.array(slots, np.int32) for key, slots in members.items()}


def _discard(index: dict[_Name, set[int]], key: _Name, slot: int) -> None:
    members = index[key]
    members.discard(slot)
    if not members:
        del index[key]


def gains(keys: Iterable[MixKey], slots: tuple[int, ...], common: Gains) -> Gains:
    """Gains of each mix (mixes, talkers): the common ones, times each key's factors."""
    rows = list(keys)
    table = np.repeat(common[None, :], len(rows), axis=0)
    column = {slot: at for at, slot in enumerate(slots)}
    for row, key in enumerate(rows):
        for slot, factor in key:
            if slot in column:
                table[row, column[slot]] *= max(factor, 0.0)
    return table


def block_own(keys: Iterable[MixKey], slots: tuple[int, ...], table: Gains) -> None:
    """Zero, in place, whatever a listener must never hear: his own voice, even while fading."""
    column = {slot: at for at, slot in enumerate(slots)}
    for row, key in enumerate(keys):
        for slot, factor in key:
            if factor == OWN and slot in column:
                table[row, column[slot]] = 0.0
