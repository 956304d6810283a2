"""Rooms on the move, in the media process: carries out what ``core/moving`` decides.

Asked before each tick of a room, told every datagram of other mixers, and given a turn after each
tick. What must outlive this process stands in the segment before it is acted on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S, samples_to_ns
from voiceroom_mixer.core.ice.stun import BindingRequest
from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.core.moving.messages import (
    Ask,
    Beat,
    Epoch,
    Message,
    RelayDown,
    RelayUp,
    Stopped,
    StoppedAck,
    Tell,
)
from voiceroom_mixer.core.moving.owner import Order, Owner
from voiceroom_mixer.core.moving.successor import Start
from voiceroom_mixer.core.state import messages
from voiceroom_mixer.core.state.messages import Kind
from voiceroom_mixer.edge import kept
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.house import House
from voiceroom_mixer.media.legs import Leg
from voiceroom_mixer.media.moving import streams
from voiceroom_mixer.media.moving.chair import Chair, RoomMarks, how_begun
from voiceroom_mixer.media.moving.errands import Errands
from voiceroom_mixer.media.moving.post import Post, shown
from voiceroom_mixer.media.moving.relay import Relay, RelayEgress
from voiceroom_mixer.media.moving.watches import Watches
from voiceroom_mixer.media.rooms import MediaRoom
from voiceroom_mixer.media.transmit import Transmit

HOLD_NS: Final = 120 * NS_PER_MS
"""The first checks of an ICE session stay unanswered for so long, so that the client checks the
twin as well and keeps it (libwebrtc forgets a candidate that it has never checked)."""
TELL_FOR_NS: Final = 10 * NS_PER_S
Say = Callable[[messages.Message], None]


class Turn(Enum):
    """What a room's tick is for."""

    REST = auto()
    """Another pod mixes it."""
    SHADOW = auto()
    """Mix, and send nothing."""
    MIX = auto()


class Moves:
    """``Fellows`` of the ingress."""

    def __init__(
        self,
        segment: Segment,
        house: House,
        transmit: Transmit,
        board: Board,
        post: Post,
        relay: Relay,
        relay_egress: RelayEgress,
        say: Say,
        *,
        now_ns: Callable[[], int] = kept.monotonic_ns,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._segment, self._house, self._transmit = segment, house, transmit
        self._board, self._post, self._relay = board, post, relay
        self._relay_egress, self._say = relay_egress, say
        self._now_ns = now_ns
        self._chairs: dict[int, Chair] = {}
        self._by_key: dict[bytes, Chair] = {}
        self._errands = Errands(segment, house, post)
        self.watches = Watches(post, entropy)
        self._look_ns = 0
        house.seat, house.unseat = self.seat, self._forget
        post.look()

    # Rooms

    def seat(self, room: MediaRoom, now_ns: int) -> None:
        """A room is new here, or its row has changed."""
        slot, seat = room.state.slot, room.state.seat
        chair = self._chairs.get(slot)
        if not seat.key:
            self._forget(slot)
            return
        marks = RoomMarks(self._segment, slot, room.state.generation)
        if chair is None or chair.key.hex() != seat.key:
            self._forget(slot)
            chair = Chair(room, marks, bytes.fromhex(seat.key))
            self._chairs[slot] = self._by_key[chair.key] = chair
        chair.room, chair.marks = room, marks
        self._place(chair, now_ns)

    def _forget(self, slot: int) -> None:
        chair = self._chairs.pop(slot, None)
        self._errands.drop(slot)
        if chair is not None and self._by_key.get(chair.key) is chair:
            del self._by_key[chair.key]

    def _place(self, chair: Chair, now_ns: int) -> None:
        """Mixing or standing by, as seat and segment say together."""
        self._errands.add(chair)
        chair.listen(now_ns)
        if chair.may_mix():
            self._mix(chair, now_ns)
        else:
            self._stand_by(chair, now_ns)
        chair.room.restless = chair.ordered or chair.awaits_word

    def _mix(self, chair: Chair, now_ns: int) -> None:
        seat = chair.seat
        chair.sit()
        chair.catch_up(self._segment.word("grid_slot"))
        self._tell_former(chair, now_ns)
        chair.follow_order(self._path(seat.to), self._waits_ms(chair.room))
        for leg in chair.room.legs.values():
            if leg.mirrored != chair.ordered:
                self._house.mirror(leg, on=chair.ordered)

    def _stand_by(self, chair: Chair, now_ns: int) -> None:
        seat = chair.seat
        if chair.room.live:
            self._rest(chair.room)
        chair.stand()
        if seat.part != "owner" and seat.other:
            chair.target = self._path(seat.other)
        chair.warm_up()
        chair.follow_preparation(now_ns)

    def _tell_former(self, chair: Chair, now_ns: int) -> None:
        """Of each of our epochs: at a later one than he gave way to he takes nothing back."""
        if chair.seat.hears and chair.told_epoch != chair.epoch:
            chair.former, chair.told_epoch = self._path(chair.seat.hears), chair.epoch
            chair.tell_until_ns = now_ns + TELL_FOR_NS

    def _waits_ms(self, room: MediaRoom) -> int:
        """The most sound that may wait in a jitter buffer of the room. Asked of the receivers: the
        segment has not heard of a target in a leg's first second."""
        active = (leg.receiver for leg in room.legs.values() if leg.receiver.active)
        waits_ns = (max(r.target_ns, samples_to_ns(r.delay_samples)) for r in active)
        return max(waits_ns, default=0) // NS_PER_MS

    def _path(self, address: str) -> bytes:
        return self._post.path(address) if address else b""

    def _rest(self, room: MediaRoom) -> None:
        for leg in room.legs.values():
            self._house.rest(leg)

    # Ticks

    def turn(self, room: MediaRoom, slot: int) -> Turn:
        """What becomes of the frame at ``slot``; asked once for each."""
        if not room.state.seat.key:
            return Turn.MIX
        chair = self._chairs[room.state.slot]
        if not room.live and not self._begins(chair, slot):
            return Turn.SHADOW if chair.awaits_word else Turn.REST
        chair.tick = slot + room.shift
        if chair.owner is not None and chair.owner.stops_at(chair.tick):
            self._stop(chair)
        return Turn.MIX if room.live else Turn.REST

    def _begins(self, chair: Chair, slot: int) -> bool:
        """Whether the room becomes ours at this frame."""
        now_ns = self._now_ns()
        frame_ns = chair.room.frame_ms * NS_PER_MS
        start = chair.successor.start(now_ns, frame_ns) if chair.successor is not None else None
        if start is None and self._owner_is_gone(chair):
            start = Start(-1, ())
        if start is None:
            return False
        self._begin(chair, start, slot, now_ns)
        return True

    def _owner_is_gone(self, chair: Chair) -> bool:
        pod = chair.listened
        return bool(pod and chair.next_epoch) and self.watches.is_gone(pod, chair.listened_ns)

    def _begin(self, chair: Chair, start: Start, slot: int, now_ns: int) -> None:
        room, seat, columns = chair.room, chair.seat, self._segment.columns
        is_warm = seat.part == "successor" and chair.marks.get("warm_epoch") == seat.epoch
        chair.epoch = chair.next_epoch or seat.epoch
        shift = start.tick - slot if start.tick >= 0 else 0
        chair.began(how_begun(start.tick), shift, now_ns - self._silent_since(chair, now_ns))
        former = seat.to if seat.part == "owner" else seat.other
        chair.former = self._path(former) if former else chair.target
        chair.former_pod = bytes.fromhex(chair.listened or seat.pod)
        chair.tell_until_ns = now_ns + TELL_FOR_NS
        self._errands.add(chair)
        chair.sit()
        if start.tick >= 0:
            streams.go_on(self._house, room, start.cuts, columns, chair.former, now_ns)
            self._board.add("rooms_moved")
        else:
            own = seat.part in ("owner", "former")
            streams.take_over(
                self._house, room, chair.epoch, columns, now_ns, is_warm=is_warm, own=own
            )
            self._board.add("rooms_taken")
        self._errands.tell(chair, now_ns)
        self._tell_control(Kind.ROOM_BEGUN, chair)

    def _silent_since(self, chair: Chair, now_ns: int) -> int:
        heard_ns = self.watches.heard_ns(chair.listened) if chair.listened else None
        return heard_ns or chair.word_ns or now_ns

    def _stop(self, chair: Chair) -> None:
        """For good: the segment says so first, then the successor is told."""
        assert chair.owner is not None
        chair.marks.set(stopped_epoch=chair.epoch)
        chair.stopped_ns = self._now_ns()
        said = streams.cuts(chair.room, self._transmit, self._segment.columns)
        chair.owner.stopped(chair.tick, said, chair.stopped_ns)
        chair.room.live = False
        self._rest(chair.room)
        self._board.add("rooms_stopped")
        self._errands.add(chair)
        self._errands.repeat(chair, chair.stopped_ns)
        self._tell_control(Kind.ROOM_STOPPED, chair)

    def _tell_control(self, kind: Kind, chair: Chair) -> None:
        """``payload``: epoch u32; of a stop also the epoch of whoever mixes instead, u32, and his
        media address, if it is known."""
        state, instead = chair.room.state, b""
        if kind is Kind.ROOM_STOPPED and chair.owner is not None and chair.owner.order is not None:
            instead = chair.owner.order.epoch.to_bytes(4, "big")
            instead += shown(chair.target).encode() if chair.target else b""
        payload = chair.epoch.to_bytes(4, "big") + instead
        self._say(messages.Message(kind, state.slot, state.generation, payload))

    def relay(self, output: MixOutput, grid_slot: int, room: MediaRoom) -> None:
        """A mix once more, for listeners that hear through another pod."""
        egress = self._relay_egress
        if self._chairs and egress.wanted(output):
            state = room.state
            egress.mix(output, grid_slot, room.frame_ms, dtx=state.dtx)

    def tick(self, now_ns: int) -> None:
        """After each tick: beats, repeats, doubts."""
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + NS_PER_S
            self._post.look()
        if not self._post.pod or not (self._chairs or len(self.watches) or self._post.peers):
            return
        listeners = (to for chair in self._chairs.values() for to in chair.seat.listeners())
        self.watches.beat(map(self._path, listeners), now_ns)
        self._errands.run(now_ns)
        self.watches.doubt(now_ns)

    # Datagrams

    def datagram(self, path: bytes, row: int, datagram: bytes) -> None:
        """As ``Fellows.datagram``."""
        message = self._post.open(datagram)
        if message is not None:
            self._take(message, path, row)

    def _take(self, message: Message, path: bytes, row: int) -> None:
        now_ns = self._now_ns()
        match message:
            case RelayUp():
                self._came_up(message, path, row)
            case RelayDown():
                self._relay.came_down(message)
            case Beat():
                self._heard(message, now_ns)
            case Stopped():
                self._word(message, path)
            case StoppedAck(room):
                self._acknowledged(self._by_key.get(room), message)
            case Epoch(room, epoch):
                self._outranked(self._by_key.get(room), epoch, path)
            case Ask():
                self.watches.asked(message, path, now_ns)
            case Tell():
                self.watches.told(message, now_ns)

    def _came_up(self, message: RelayUp, pod: bytes, row: int) -> None:
        leg, arrival_ns = self._house.leg(message.leg), self._relay.ingress.arrival_ns
        chair = self._chairs.get(leg.state.room_slot) if leg is not None else None
        if leg is not None and chair is not None and not leg.live and chair.awaits_word:
            self._relay.shown(leg, message, row, arrival_ns)
        else:
            self._relay.came_up(message, pod, row, arrival_ns)

    def mirror(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """As ``Fellows.mirror``: so that the successor has what waits here to be played."""
        chair = self._chairs.get(leg.state.room_slot)
        if chair is not None and chair.target and leg.sends:
            self._relay.up(leg, chair.target, path, datagram)

    def _heard(self, beat: Beat, now_ns: int) -> None:
        if not self.watches.heard(beat, now_ns):
            return
        for chair in self._chairs.values():
            if chair.former_pod == beat.pod:
                self._errands.tell_again(chair, now_ns)

    def _word(self, part: Stopped, path: bytes) -> None:
        chair = self._by_key.get(part.room)
        if chair is None:
            return
        ack = chair.successor.word(part) if chair.successor is not None else None
        if ack is not None and not chair.room.live and not chair.has_word:
            chair.word_ns, chair.has_word = self._now_ns(), True
        if ack is None and chair.room.live and part.epoch < chair.epoch:
            ack = StoppedAck(part.room, part.epoch, part.part)  # too late: it is ours already
        if ack is None:
            return
        if chair.room.live:
            chair.former_pod, chair.tell_until_ns = b"", 0
        self._post.send(path, ack)

    def _acknowledged(self, chair: Chair | None, ack: StoppedAck) -> None:
        if chair is not None and chair.owner is not None:
            chair.owner.heard(ack)

    def _outranked(self, chair: Chair | None, epoch: int, path: bytes) -> None:
        """Somebody mixes the room under a higher epoch: stop at once, and relay to him."""
        if chair is None:
            return
        chair.outranked_by = max(chair.outranked_by, epoch)
        owner: Owner | None = chair.owner
        if chair.successor is not None:
            chair.successor.outranked(epoch)
        if owner is None or not owner.outranked(epoch) or not chair.room.live:
            return
        chair.target = path
        owner.order = Order("", chair.tick, chair.key, epoch)
        self._stop(chair)

    # Clients

    def stray(self, leg: Leg, path: bytes, datagram: bytes) -> None:
        """As ``Fellows.stray``."""
        chair = self._chairs.get(leg.state.room_slot)
        if chair is None or not chair.target:
            self._board.drop("relay_unknown")
            return
        leg.last_rx_ns = self._now_ns()
        self._relay.up(leg, chair.target, path, datagram)

    def answers(self, leg: Leg, path: bytes, request: BindingRequest, now_ns: int) -> bool:
        """As ``Fellows.answers``."""
        chair = self._chairs.get(leg.state.room_slot)
        if chair is None:
            return True
        if leg.live:
            return not self._holds(chair, leg, request, now_ns)
        if chair.is_quiet(now_ns):
            self._board.drop("stun_quiet")
            return False
        if chair.target:
            self._relay.up(leg, chair.target, path, request.raw)
        return True

    def _holds(self, chair: Chair, leg: Leg, request: BindingRequest, now_ns: int) -> bool:
        """Whether the twin is to be checked first."""
        if not chair.seat.other:
            return False
        if leg.first_check[0] != request.local_ufrag:
            leg.first_check = (request.local_ufrag, now_ns)
        held = now_ns - leg.first_check[1] < HOLD_NS
        if held:
            self._board.drop("stun_held")
        return held
