"""The side that gives a room away: cut at a tick, say so until it is heard, relay, let go.

Sans-IO: the media process tells it ticks, messages and the time, and carries out what it answers.
The one rule that everything else rests on: from the moment ``stop`` is answered this pod never
sends under the room's SSRCs again, whatever comes later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.core.moving.messages import LegCut, Stopped, StoppedAck
from voiceroom_mixer.core.moving.wire import LEGS_PER_PART

REPEAT_NS: Final = 20 * NS_PER_MS
"""Between two repeats of the last word."""
REPEAT_FOR_NS: Final = 10_000 * NS_PER_MS
"""Then the successor has taken over long ago, or is gone."""
QUIET_NS: Final = 6_000 * NS_PER_MS
"""STUN stays unanswered for so long, and libwebrtc switches by itself (2.5 s + its checks)."""


class Phase(Enum):
    """Of a room at the pod that has it."""

    MIXING = auto()
    ORDERED = auto()
    """A cut tick is set and has not come."""
    STOPPED = auto()
    """For good: it relays until it is released."""


@dataclass(frozen=True, slots=True)
class Order:
    """The successor is prepared: stop before the tick ``cut_tick`` is mixed."""

    move: str
    cut_tick: int
    successor: bytes
    epoch: int
    """Of the successor; higher than ours."""


class Owner:
    """One room at the pod that mixes it."""

    def __init__(self, room: bytes, epoch: int) -> None:
        self.room, self.epoch = room, epoch
        self.phase = Phase.MIXING
        self.order: Order | None = None
        self.stopped_ns = 0
        self.stopped_tick = -1
        self._unheard: dict[int, Stopped] = {}
        self._repeat_ns = 0

    def cut_at(self, order: Order, next_tick: int) -> bool:
        """Take an order. False when it is refused: its tick has passed, its epoch is not higher,
        or this pod has stopped. The same order may come again."""
        if self.phase is Phase.STOPPED or order.epoch <= self.epoch or order.cut_tick < next_tick:
            return False
        if self.order is not None and self.order.move != order.move:
            return False
        self.phase, self.order = Phase.ORDERED, order
        return True

    def cancel(self, move: str) -> bool:
        """Before the cut either side may call the move off; False when it is too late."""
        if self.phase is Phase.STOPPED:
            return False
        if self.order is not None and self.order.move == move:
            self.phase, self.order = Phase.MIXING, None
        return True

    def stops_at(self, tick: int) -> bool:
        """Asked before each tick is mixed: from here on it must not be. The caller then says
        ``stopped`` with what the legs' streams had come to."""
        return self.order is not None and tick >= self.order.cut_tick

    def stopped(self, tick: int, legs: tuple[LegCut, ...], now_ns: int) -> None:
        """The room is not mixed any more; ``tick`` is the first one that was not."""
        assert self.phase is not Phase.STOPPED
        self.phase = Phase.STOPPED
        self.stopped_ns, self.stopped_tick = now_ns, tick
        self._repeat_ns = now_ns
        parts = max(1, -(-len(legs) // LEGS_PER_PART))
        for part in range(parts):
            some = legs[part * LEGS_PER_PART : (part + 1) * LEGS_PER_PART]
            self._unheard[part] = Stopped(self.room, self.epoch, tick, part, parts, some)

    def heard(self, ack: StoppedAck) -> None:
        """A part of the last word has arrived."""
        if ack.epoch == self.epoch:
            self._unheard.pop(ack.part, None)

    def outranked(self, epoch: int) -> bool:
        """Somebody mixes this room under ``epoch``: whether this pod has to stop now."""
        return self.phase is not Phase.STOPPED and epoch > self.epoch

    @property
    def is_unheard(self) -> bool:
        """Something of the last word has not been acknowledged."""
        return bool(self._unheard)

    def words(self, now_ns: int) -> tuple[Stopped, ...]:
        """What of the last word is due to be sent (again)."""
        if not self._unheard or now_ns < self._repeat_ns:
            return ()
        if now_ns - self.stopped_ns > REPEAT_FOR_NS:
            self._unheard.clear()
            return ()
        self._repeat_ns = now_ns + REPEAT_NS
        return tuple(self._unheard.values())

    def answers_stun(self, now_ns: int, *, relayed: bool) -> bool:
        """Whether checks of this room's legs are answered. After the cut not for ``QUIET_NS``,
        so that who can switches; then again for those that are still ``relayed``."""
        if self.phase is not Phase.STOPPED:
            return True
        return relayed and now_ns - self.stopped_ns >= QUIET_NS
