"""Who comes back again and again: a network that does not hold, or timers that look like one."""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final

from voiceroom_api.units import NS_PER_S

WINDOW_NS: Final = 60 * NS_PER_S
STORM: Final = 3
"""So many times within the window."""
MAX_PEOPLE: Final = 4096
"""Beyond it those who came back longest ago are forgotten."""
ASKED_NS: Final = 10 * NS_PER_S
"""An ICE restart so soon after the room's pages were asked for one is the answer to that: a move
and a new twin ask twice within seconds, and nobody's network is to blame."""
MAX_ROOMS: Final = 1024


@dataclass(slots=True)
class _Person:
    times: deque[int] = field(default_factory=lambda: deque(maxlen=STORM))
    storms: bool = False


class Reconnects:
    """The last few times of each participant; time is an argument."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, _Person] = OrderedDict()
        self._asked: OrderedDict[str, int] = OrderedDict()

    def asked(self, room: str, now_ns: int) -> None:
        """Pages of a room are asked to restart ICE."""
        self._asked[room] = now_ns
        self._asked.move_to_end(room)
        if len(self._asked) > MAX_ROOMS:
            self._asked.popitem(last=False)

    def was_asked(self, room: str, now_ns: int) -> bool:
        """Whether an ICE restart in this room is no sign of trouble."""
        asked_ns = self._asked.get(room)
        return asked_ns is not None and now_ns - asked_ns <= ASKED_NS

    def note(self, participant: str, now_ns: int) -> bool:
        """One has come back: whether that begins a storm."""
        person = self._people.setdefault(participant, _Person())
        self._people.move_to_end(participant)
        if len(self._people) > MAX_PEOPLE:
            self._people.popitem(last=False)
        person.times.append(now_ns)
        before = person.storms
        within = now_ns - person.times[0] <= WINDOW_NS
        person.storms = within and len(person.times) == STORM
        return person.storms and not before
