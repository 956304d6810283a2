"""The side that takes a room: prepare, wait for the word, go on where the other stopped.

Sans-IO. Two ways lead to mixing, and they exclude each other: the owner's whole last word, after
which its indexes are continued; or 500 ms without it after the cut was due, after which the room is
*taken over* under SSRCs of its own. A word that is complete after that changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.messages import LegCut, Stopped, StoppedAck

WORD_NS: Final = 500 * NS_PER_MS
"""From the order of the cut to the take-over."""
MAX_PARTS: Final = 256
"""Of a last word: 5,000 legs take 191."""


class Phase(Enum):
    """Of a room at the pod that is to have it."""

    PREPARING = auto()
    PREPARED = auto()
    """Sockets, decoders and every leg's state are there."""
    WAITING = auto()
    """The cut is ordered."""
    MIXING = auto()
    """By the owner's word: its streams go on."""
    TAKEN = auto()
    """Without it: streams of our own."""
    CANCELLED = auto()


@dataclass(frozen=True, slots=True)
class Start:
    """Mix from the tick ``tick`` on."""

    tick: int
    """The first that the owner did not mix, on its counter; -1 in a take-over."""
    cuts: tuple[LegCut, ...]
    """Empty in a take-over."""


class Successor:
    """One room at the pod that is to mix it next."""

    def __init__(self, room: bytes, epoch: int, *, owner_epoch: int) -> None:
        assert epoch > owner_epoch
        self.room, self.epoch, self.owner_epoch = room, epoch, owner_epoch
        self.phase = Phase.PREPARING
        self._due_ns = 0
        self._parts: dict[int, Stopped] = {}

    @property
    def mixes(self) -> bool:
        """The room is this pod's."""
        return self.phase in (Phase.MIXING, Phase.TAKEN)

    def prepared(self) -> None:
        """All that is needed is there."""
        if self.phase is Phase.PREPARING:
            self.phase = Phase.PREPARED

    def cut_ordered(self, now_ns: int) -> bool:
        """The owner was told to stop; False when nothing is prepared. The clock of the take-over
        runs from the first such word only."""
        if self.phase is not Phase.PREPARED:
            return self.phase is Phase.WAITING or self.mixes
        self.phase, self._due_ns = Phase.WAITING, now_ns + WORD_NS
        return True

    def refused(self) -> None:
        """The owner has said no to the order: it goes on, and so does nobody else."""
        if self.phase is Phase.WAITING:
            self.phase = Phase.PREPARED

    def cancel(self) -> bool:
        """Before the cut is ordered either side may call it off; False when it is too late."""
        if self.phase in (Phase.PREPARING, Phase.PREPARED):
            self.phase = Phase.CANCELLED
        return self.phase is Phase.CANCELLED

    def outranked(self, epoch: int) -> None:
        """Somebody mixes the room under ``epoch`` already: whatever is heard later of an earlier
        one begins nothing."""
        if epoch > self.epoch and not self.mixes:
            self.phase = Phase.CANCELLED

    def word(self, part: Stopped) -> StoppedAck | None:
        """A part of the owner's last word; what is answered. A word that belongs to another
        epoch, or comes before this pod is prepared, is not acknowledged: it will be repeated."""
        if part.epoch != self.owner_epoch or part.parts > MAX_PARTS:
            return None
        if self.phase in (Phase.PREPARING, Phase.CANCELLED):
            return None
        if not self.mixes:
            self._parts[part.part] = part
        return StoppedAck(part.room, part.epoch, part.part)

    def start(self, now_ns: int, tick_ns: int = 0) -> Start | None:
        """Asked each tick: the order to mix, once, as soon as there is one. Of ticks ``tick_ns``
        apart the one nearest to the deadline is taken: the order came at the end of a tick, so the
        next one after the deadline would be a whole tick late."""
        if self.mixes or self.phase is Phase.CANCELLED:
            return None
        if self._parts and len(self._parts) == self._parts[next(iter(self._parts))].parts:
            return self._go_on()
        if self.phase is Phase.WAITING and now_ns + tick_ns // 2 >= self._due_ns:
            self.phase = Phase.TAKEN
            return Start(-1, ())
        return None

    def _go_on(self) -> Start:
        self.phase = Phase.MIXING
        cuts = tuple(cut for part in sorted(self._parts) for cut in self._parts[part].legs)
        return Start(next(iter(self._parts.values())).tick, cuts)
