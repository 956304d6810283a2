"""The look once a second: whatever a lost message would have said, and what time itself ends."""

from __future__ import annotations

from typing import Final

from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.registry import Leg
from voiceroom_mixer.control.rooms.words import MediaWords
from voiceroom_mixer.core.state import layout

_LOOKED_AT: Final = ("generation", "phase", "end_reason", "talking", "heard")
_Look = dict[str, list[int]]


class Reaper:
    """Compares every leg with what media and the clock say."""

    def __init__(self, house: House, words: MediaWords) -> None:
        self._registry = house.registry
        self._book = house.book
        self._leaving = house.leaving
        self._revoked = house.revoked
        self._clock = house.clock
        self._words = words

    def look(self, now_ns: int) -> None:
        """One pass over all legs; about a microsecond each."""
        looks = {link.index: _look(link) for link in self._registry.links}
        for leg in self._registry.legs():
            look, slot = looks[leg.link.index], leg.state.slot
            if look["generation"][slot] == leg.state.generation:
                self._as_media_says(leg, look, slot)
            self._as_time_says(leg, now_ns)
        self._registry.forget_old(now_ns)
        self._revoked.purge(self._clock.wall_s())

    def _as_media_says(self, leg: Leg, look: _Look, slot: int) -> None:
        phase = look["phase"][slot]
        if phase == layout.PHASE_ENDED:
            self._leaving.ended(leg, look["end_reason"][slot])
            return
        self._words.set_talking(leg, bool(look["talking"][slot]))
        if leg.state.replaces and not leg.changed_over:
            there = look["heard"][slot] or not leg.state.sends
            if there and phase == layout.PHASE_CONNECTED:
                self._leaving.changed_over(leg)

    def _as_time_says(self, leg: Leg, now_ns: int) -> None:
        if leg.connect_by_ns and now_ns >= leg.connect_by_ns:
            self._leaving.leave(leg, "timeout")
        elif leg.previous_ice_until_ns and now_ns >= leg.previous_ice_until_ns:
            leg.previous_ice_until_ns = 0
            self._book.update(leg, previous_ice=None)


def _look(link: MediaLink) -> _Look:
    high = link.segment.tables["legs"].high
    return {name: link.segment.columns[name][:high].tolist() for name in _LOOKED_AT}
