"""One room that several pods have to do with, as this media process sees it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from voiceroom_mixer.core.moving.epochs import taken_over
from voiceroom_mixer.core.moving.owner import QUIET_NS, Order, Owner, Phase
from voiceroom_mixer.core.moving.successor import Phase as Waiting
from voiceroom_mixer.core.moving.successor import Successor
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.seat import Seat
from voiceroom_mixer.core.timing.schedule import SLOT_MS
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.rooms import MediaRoom

WARM_MS: Final = 120
"""From the order to the cut, and what waits in jitter buffers on top: so long the successor hears
what we hear, and its decoders and encoders come to where ours are."""
NS_PER_US: Final = 1_000
LONGEST_CUT_MS: Final = 300
"""Well before the successor loses patience (500 ms)."""


class RoomMarks:
    """The row of ``layout.ROOM_COLUMNS`` of one room: what must outlive this process."""

    def __init__(self, segment: Segment, slot: int, generation: int) -> None:
        self._columns: dict[str, Any] = segment.room_columns
        self._slot = slot
        if int(self._columns["generation"][slot]) != generation:
            for column in self._columns.values():
                column[slot] = 0
            self._columns["generation"][slot] = generation

    def get(self, name: str) -> int:
        """One value."""
        return int(self._columns[name][self._slot])

    def set(self, **values: int) -> None:
        """Some of them."""
        for name, value in values.items():
            self._columns[name][self._slot] = value


@dataclass(slots=True)
class Chair:
    """Either this process mixes the room (``owner``, before its cut), or it stands by."""

    room: MediaRoom
    marks: RoomMarks
    key: bytes
    epoch: int = 0
    """That it is mixed under here, or was."""
    tick: int = -1
    """Newest of the room's ticks."""
    owner: Owner | None = None
    successor: Successor | None = None
    stopped_ns: int = 0
    """0 = it has not stopped in this process's time."""
    target: bytes = b""
    """Path to whoever mixes it instead of us."""
    listened: str = ""
    """The pod (hex) whose silence makes the room ours."""
    listened_ns: int = 0
    """Since when it is listened for."""
    outranked_by: int = 0
    """The highest epoch that another was heard to mix under."""
    former: bytes = b""
    """Path to whoever mixed it before us, and his pod; told of our epoch until he has heard."""
    former_pod: bytes = b""
    told_epoch: int = 0
    """That the owner before us is being told, or was."""
    word_ns: int = 0
    """When the owner's last word began to come, or he was told to stop; 0 = neither."""
    has_word: bool = False
    tell_until_ns: int = 0
    told_ns: int = 0
    to_warm: deque[int] = field(default_factory=deque)
    """Slots of legs that are to be made ready."""

    @property
    def seat(self) -> Seat:
        """Control's newest word."""
        return self.room.state.seat

    def may_mix(self) -> bool:
        """By what stands in the segment."""
        began, stopped = self.marks.get("began_epoch"), self.marks.get("stopped_epoch")
        self.epoch = max(began, self.seat.epoch if self.seat.part == "owner" else stopped)
        return self.seat.is_mixed(began, stopped)

    def sit(self) -> None:
        """Mix from now on."""
        self.room.live, self.room.shift = True, self.marks.get("shift")
        if self.owner is None or self.owner.epoch != self.epoch:
            self.owner, self.successor = Owner(self.key, self.epoch), None

    def stand(self) -> None:
        """Do not mix."""
        self.room.live = False
        seat = self.seat
        if seat.part != "successor" or seat.epoch <= seat.owner_epoch:
            self.successor = None
        elif self.successor is None or self._is_another(self.successor):
            self.successor = Successor(self.key, seat.epoch, owner_epoch=seat.owner_epoch)
            self.has_word = False

    def _is_another(self, successor: Successor) -> bool:
        seat = self.seat
        owner = seat.owner_epoch != successor.owner_epoch and not self.awaits_word
        return successor.epoch != seat.epoch or owner

    def listen(self, now_ns: int) -> None:
        """For whom the seat says, from now on."""
        seat = self.seat
        pod = {"owner": seat.to_pod, "successor": ""}.get(seat.part, seat.pod)
        if pod != self.listened:
            self.listened, self.listened_ns = pod, now_ns

    @property
    def next_epoch(self) -> int:
        """Under which the room is ours once the one that is listened for is gone; 0 = it is not:
        a former owner that has heard of a later epoch is told no longer who has the room."""
        seat = self.seat
        before = {"owner": self._gave_to, "successor": 0}.get(seat.part, seat.owner_epoch)
        is_known = seat.part == "twin" or self.outranked_by <= before
        return taken_over(before) if before and is_known else 0

    @property
    def _gave_to(self) -> int:
        """The epoch for which the owner has stopped, if that is the one of its seat."""
        order = self.owner.order if self.owner is not None else None
        return order.epoch if order is not None and order.epoch == self.seat.to_epoch else 0

    def follow_order(self, target: bytes, waits_ms: int) -> None:
        """What the owner's seat says of a move; so much sound waits to be played."""
        owner, seat = self.owner, self.seat
        if owner is None or owner.phase is Phase.STOPPED:
            return
        if seat.to and (owner.order is None or owner.order.move != seat.move):
            frame_ms = self.room.state.frame_ms
            frames = -(-min(WARM_MS + waits_ms, LONGEST_CUT_MS) // frame_ms)
            cut = self.tick + frames * self.room.frame_slots
            owner.cut_at(Order(seat.move, cut, self.key, seat.to_epoch), self.tick)
            self.target = target
        elif not seat.to and owner.order is not None:
            owner.cancel(owner.order.move)

    def follow_preparation(self, now_ns: int) -> None:
        """What the successor's seat says of its move."""
        if self.successor is None:
            return
        if self.seat.ordered:
            self.successor.prepared()
            if not self.awaits_word:
                self.word_ns = now_ns
            self.successor.cut_ordered(now_ns)
        elif self.awaits_word:
            self.successor.refused()
            for leg in self.room.legs.values():
                leg.stream.heard = False  # what comes of it is relayed again

    def warm_up(self) -> None:
        """Make the legs ready, a few a tick; the segment says when that is done."""
        if self.seat.warm and self.marks.get("warm_epoch") != self.seat.epoch:
            self.to_warm = deque(self.room.legs)
            self.warmed()

    def warmed(self) -> None:
        """Say so once nothing is left to do."""
        if not self.to_warm:
            self.marks.set(warm_epoch=self.seat.epoch)

    @property
    def ordered(self) -> bool:
        """A cut is set and has not come."""
        return self.owner is not None and self.owner.phase is Phase.ORDERED

    @property
    def awaits_word(self) -> bool:
        """The owner is being told to stop, and what clients send comes here already: the room is
        mixed in the shadow, so that nothing begins cold."""
        return self.successor is not None and self.successor.phase is Waiting.WAITING

    def has_errands(self, now_ns: int) -> bool:
        """Something is left to be told, or to be made ready."""
        repeats = self.owner is not None and self.owner.is_unheard and not self.room.live
        return bool(self.to_warm) or repeats or now_ns < self.tell_until_ns

    def catch_up(self, grid_slot: int) -> None:
        """With the newest tick: a room in which nobody is was not asked at each of them."""
        room = self.room
        frame = room.frame_ms // SLOT_MS
        self.tick = max(self.tick, grid_slot // frame * frame + room.shift)

    def is_quiet(self, now_ns: int) -> bool:
        """Just after the cut STUN stays unanswered, so that a client who can switches by itself."""
        return bool(self.stopped_ns) and now_ns - self.stopped_ns < QUIET_NS

    def began(self, how: int, shift: int, gap_ns: int) -> None:
        """Into the segment, before anything is sent."""
        gap_us = min(max(gap_ns, 0) // NS_PER_US, 0xFFFF_FFFF)
        self.marks.set(shift=shift, began_how=how, gap_us=gap_us, began_epoch=self.epoch)


def how_begun(tick: int) -> int:
    """``layout.BEGAN_*`` of a start at the owner's tick; -1 is a take-over."""
    return layout.BEGAN_MOVED if tick >= 0 else layout.BEGAN_TAKEN
