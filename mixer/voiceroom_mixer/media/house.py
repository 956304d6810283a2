"""Keeps rooms and legs equal to control's rows: on a word, and by looking itself now and then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from voiceroom_mixer.core.receive.receiver import Receiver
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.legstate import LegState, RoomState, StateError
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.core.state.seat import STANDING
from voiceroom_mixer.edge.mmsg import NAME_BYTES, unpack_name, unspecified
from voiceroom_mixer.edge.shm import Segment
from voiceroom_mixer.edge.srtp import SrtpError, SrtpReceiver
from voiceroom_mixer.media import columns
from voiceroom_mixer.media.board import Board
from voiceroom_mixer.media.legs import FIRST_REPORT_NS, Leg, LegTable, Via
from voiceroom_mixer.media.rooms import MediaRoom
from voiceroom_mixer.media.transmit import Transmit

WRAP_TRIES: Final = 8


class House:
    """Rooms by slot and legs by slot, as the rows say."""

    def __init__(
        self,
        segment: Segment,
        legs: LegTable,
        transmit: Transmit,
        board: Board,
        *,
        make_room: Callable[[RoomState], MediaRoom],
        make_receiver: Callable[[LegState, RoomState], Receiver],
        make_name: Callable[[str, int], bytes],
        rooms_changed: Callable[[], None],
        say: Callable[[Message], None],
        goodbye: Callable[[Leg], None],
    ) -> None:
        self.seat: Callable[[MediaRoom, int], None] = _alone
        """Told of each new or changed room: says whether it is mixed here (``media/moving``)."""
        self.unseat: Callable[[int], None] = lambda _: None
        """Told the slot of each room that is over."""
        self.rooms: dict[int, MediaRoom] = {}
        self._segment = segment
        self._columns: dict[str, Any] = segment.columns
        self._legs = legs
        self._transmit = transmit
        self._board = board
        self._make_room, self._make_receiver = make_room, make_receiver
        self._make_name, self._rooms_changed = make_name, rooms_changed
        self._say, self._goodbye = say, goodbye
        self._seen: dict[str, Any] = {
            name: np.zeros(segment.tables[name].rows, np.uint32) for name in ("rooms", "legs")
        }

    def look(self, now_ns: int) -> None:
        """Take in every row that has changed since the last look."""
        for name, take in (("rooms", self._take_room), ("legs", self._take_leg)):
            table, seen = self._segment.tables[name], self._seen[name]
            high = table.high
            sequences = table.sequences[:high]
            for row in np.flatnonzero(sequences != seen[:high]).tolist():
                take(row, now_ns)

    def take_leg(self, slot: int, now_ns: int) -> None:
        """Control says that a leg's row has changed."""
        if slot < self._segment.tables["legs"].high:
            self._take_leg(slot, now_ns)

    def take_room(self, slot: int, now_ns: int) -> None:
        """Control says that a room's row has changed."""
        if slot < self._segment.tables["rooms"].high:
            self._take_room(slot, now_ns)

    def _read(self, name: str, row: int) -> bytes | None:
        """The row, marked as seen; a row in the middle of a write is looked at again later."""
        table = self._segment.tables[name]
        sequence = table.sequences[row]
        blob = table.read(row)
        if not sequence & 1:
            self._seen[name][row] = sequence
        return blob

    def _take_room(self, row: int, now_ns: int) -> None:
        blob = self._read("rooms", row)
        try:
            state = RoomState.from_bytes(blob) if blob else None
        except StateError:
            self._board.add("leg_faults")
            return
        room = self.rooms.get(row)
        if room is not None and (state is None or state.generation != room.state.generation):
            self._close(row)
            room = None
        if state is None:
            return
        if room is not None and room.state.frame_ms == state.frame_ms:
            room.update(state)
            self.seat(room, now_ns)
        else:
            self._replace(row, state, now_ns)

    def _replace(self, row: int, state: RoomState, now_ns: int) -> None:
        """A new room, or one whose frame size has changed (only while nobody is in)."""
        self._close(row)
        self.rooms[row] = self._make_room(state)
        self.seat(self.rooms[row], now_ns)
        self._rooms_changed()
        table = self._segment.tables["legs"]
        for slot in range(table.high):
            if slot not in self._legs.by_slot:
                self._take_leg(slot, now_ns)

    def _close(self, row: int) -> None:
        room = self.rooms.pop(row, None)
        if room is not None:
            for leg in list(room.legs.values()):
                self.end(leg, layout.END_REMOVED)
            room.mixer.close()
            self.unseat(row)
            self._rooms_changed()

    def _take_leg(self, slot: int, now_ns: int) -> None:
        blob = self._read("legs", slot)
        try:
            state = LegState.from_bytes(blob) if blob else None
        except StateError:
            self._board.add("leg_faults")
            return
        leg = self._legs.by_slot.get(slot)
        if leg is not None and (state is None or state.generation != leg.state.generation):
            self._let_go(leg)
            leg = None
        if state is None:
            return
        if leg is None:
            self.adopt(state, now_ns)
        else:
            self._update(leg, state)

    def adopt(self, state: LegState, now_ns: int) -> None:
        """A leg that this process does not have yet: new, left behind by a killed process, or by
        another pod."""
        room = self.rooms.get(state.room_slot)
        same = int(self._columns["generation"][state.slot]) == state.generation
        phase = int(self._columns["phase"][state.slot]) if same else layout.PHASE_FREE
        if room is None or room.state.room != state.room or phase == layout.PHASE_ENDED:
            return
        resume = phase in (layout.PHASE_WAITING, layout.PHASE_CONNECTED)
        if not resume:
            columns.reset(self._columns, state)
            resume = not room.live and columns.imprint(self._columns, state, self.mark(state))
        leg = Leg(state, self._make_receiver(state, room.state), adopted_ns=now_ns, live=room.live)
        leg.last_check_ns = now_ns
        leg.rtcp_due_ns = now_ns + FIRST_REPORT_NS
        self._transmit.adopt(state, resume=resume)
        self._legs.add(leg)
        if resume:
            columns.restore(self._columns, leg)
        self._connect_addresses(leg, resume=resume)
        self._take_keys(leg)
        room.add(leg)
        self._connected(leg)

    def was_ours(self, leg: Leg) -> bool:
        """Its room was given away: the leg stays only as long as its client comes here."""
        room = self.rooms.get(leg.state.room_slot)
        return room is not None and not room.live and room.state.seat.part not in STANDING

    def is_kept(self, leg: Leg) -> bool:
        """Of a room that is mixed elsewhere: the leg stays for as long as its owner there has it,
        wherever its client is, since this pod may have to go on with it."""
        return not self.was_ours(leg) or bool(self.rooms[leg.state.room_slot].state.seat.pod)

    def leg(self, key: bytes) -> Leg | None:
        """The leg of that ``leg_key``."""
        return self._legs.by_id.get(key)

    def mark(self, state: LegState) -> Mark:
        """Where the leg's streams stood at the pod that sends to it, by control's last word."""
        row = self._segment.tables["marks"].read(state.slot)
        mark = Mark.from_bytes(row, state.generation)
        return mark if mark.tx_ssrc else columns.as_mark(self._columns, state)

    def renew(self, leg: Leg, now_ns: int) -> Leg:
        """The same leg once more, from its columns as they are now; its addresses are kept."""
        room, addresses = self.rooms[leg.state.room_slot], list(leg.addresses)
        if leg.used:
            self._transmit.release(leg.slot)  # its session has an index of then
        room.remove(leg)
        self._legs.remove(leg.slot)
        self.adopt(leg.state, now_ns)
        fresh = self._legs.by_slot[leg.slot]
        for key in addresses:
            self._legs.learn(fresh, key)
        return fresh

    def _connect_addresses(self, leg: Leg, *, resume: bool) -> None:
        """Where the leg is: restored, told (rtp), or to be learnt from checks or a first packet."""
        state = leg.state
        address = columns.address(self._columns, state.slot) if resume else None
        if address is None and state.kind == "rtp":
            if state.remote_port:
                address = (state.remote_ip, state.remote_port)
            elif leg.live:
                self._await_source(leg)
        if address is not None:
            try:
                name = self._make_name(*address)
            except ValueError:
                return  # another pod reached it by IPv6, and we have IPv4: it has to come to us
            self.select(leg, name + (columns.local(self._columns, state.slot) or unspecified(name)))
            if leg.live and state.kind == "rtp" and leg.sends and leg.rx_index < 0:
                # We may send first, and then a node's NAT may give what comes from its gateway
                # another port: the two flows would be one to it (a pod's hostPort, nf_conntrack).
                self._await_source(leg)

    def _await_source(self, leg: Leg) -> None:
        name = self._make_name(leg.state.remote_ip, 0)
        self._legs.waiting.add(leg, unpack_name(name)[0])

    def settle(self, leg: Leg) -> None:
        """A gateway is heard along the path that is selected. Where that is from another port than
        it gave, it may still come from the one that it gave, which then holds."""
        if leg.elsewhere:
            given = self._make_name(leg.state.remote_ip, leg.state.remote_port)
            self._legs.unlearn(leg, given)
            self._await_source(leg)
        else:
            self._legs.waiting.drop(leg)

    def select(self, leg: Leg, path: bytes) -> None:
        """Send along this path (``mmsg.PATH_BYTES``) from now on."""
        self._legs.learn(leg, path)
        if leg.selected != path:
            leg.selected = path
            leg.tolerance.new_path()
            self._transmit.route(leg.slot, path)
            columns.store_address(self._columns, leg.slot, *unpack_name(path), path[NAME_BYTES:])
        if leg.state.kind == "rtp":
            self.settle(leg)
        leg.via = None
        self._connected(leg)

    def reach(self, leg: Leg, via: Via) -> None:
        """Send through another pod, too or alone."""
        leg.via = via
        self._connected(leg)

    def enliven(self, leg: Leg, mark: Mark, now_ns: int) -> None:
        """From now on we send to it, under the SSRC and from the indexes of ``mark``."""
        columns.begin_sending(self._columns, leg.slot, mark)
        leg.live, leg.last_check_ns, leg.last_rx_ns = True, now_ns, now_ns
        leg.rtcp_due_ns = now_ns + FIRST_REPORT_NS
        leg.stream.forgive()
        self._transmit.adopt(leg.state, resume=True)
        if leg.selected:
            self._transmit.route(leg.slot, leg.selected)
        elif mark.port:
            columns.store_mark_address(self._columns, leg.slot, mark)
            self._connect_addresses(leg, resume=True)
        else:
            self._connect_addresses(leg, resume=False)
        if leg.state.kind == "rtp" and mark.port and mark.rx_ssrc and leg.selected:
            self._await_source(leg)  # its own stream, from a port of a node's making
        self._connected(leg)

    def mirror(self, leg: Leg, *, on: bool) -> None:
        """Whether its packets are to be looked at one by one, as they came."""
        leg.mirrored = on
        leg.stream.wrap_tries = int(on)  # so that no batch takes them

    def rest(self, leg: Leg) -> None:
        """Its room is mixed elsewhere: nothing is sent to it any more."""
        leg.live, leg.used = False, True
        leg.stream.heard = False  # whatever comes of it is relayed, and not counted in batches
        self._connected(leg)

    def _take_keys(self, leg: Leg) -> None:
        """SRTP both ways once control has the keys; a resumed stream goes on at its index."""
        keys = leg.state.srtp
        if keys is None or leg.srtp is not None:
            return
        try:
            leg.srtp = SrtpReceiver(keys.profile, bytes.fromhex(keys.rx))
            if leg.stream.resume_index >= 0:
                leg.srtp.resume(leg.rx_ssrc, leg.rx_index)
                leg.stream.wrap_tries = WRAP_TRIES
            leg.srtp.resume_rtcp(int(self._columns["rx_srtcp"][leg.slot]))
            leg.rx_context, leg.stream.context = leg.srtp.context, leg.srtp.address
            self._transmit.update(leg.state)
        except (SrtpError, ValueError):
            self._board.add("leg_faults")
            self.end(leg, layout.END_FAULT)

    def _connected(self, leg: Leg) -> None:
        """Sending may begin: an address, and keys where there is SRTP."""
        keyed = not leg.secure or leg.srtp is not None
        sent_to = leg.live and keyed and leg.state.receives
        self._transmit.ready[leg.slot] = sent_to and bool(leg.selected) and leg.via is None
        self._transmit.relayed[leg.slot] = sent_to and leg.via is not None
        if (leg.selected or leg.via) and keyed and leg.phase == layout.PHASE_WAITING:
            leg.phase = layout.PHASE_CONNECTED
            self._columns["phase"][leg.slot] = leg.phase

    def _update(self, leg: Leg, state: LegState) -> None:
        before = leg.state
        leg.follow(state)
        self._legs.credentials(leg, before)
        self._transmit.update(state)
        self._take_keys(leg)
        if (state.remote_ip, state.remote_port) != (before.remote_ip, before.remote_port):
            self._connect_addresses(leg, resume=False)
        room = self.rooms.get(state.room_slot)
        if room is not None and leg.slot in room.legs:
            room.refresh(leg)
        self._connected(leg)

    def end(self, leg: Leg, reason: int) -> None:
        """Media itself lets go of a leg; control frees the row when it sees why."""
        self._let_go(leg)
        self._columns["end_reason"][leg.slot] = reason
        self._columns["phase"][leg.slot] = layout.PHASE_ENDED
        payload = bytes((reason,))
        self._say(Message(Kind.ENDED, leg.slot, leg.state.generation, payload))

    def _let_go(self, leg: Leg) -> None:
        self._goodbye(leg)
        room = self.rooms.get(leg.state.room_slot)
        if room is not None and leg.slot in room.legs:
            room.remove(leg)
        self._legs.remove(leg.slot)
        self._transmit.release(leg.slot)
        self._columns["phase"][leg.slot] = layout.PHASE_FREE
        self._columns["talking"][leg.slot] = 0
        self._columns["level"][leg.slot] = 127


def _alone(_room: MediaRoom, _now_ns: int) -> None:
    """There is no other pod."""
