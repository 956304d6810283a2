"""A media process in memory: it keeps the promises of the segment's columns and of the messages,
and does nothing with sound."""

from __future__ import annotations

import os
import socket
import struct

from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.core.state import layout, messages
from voiceroom_mixer.core.state.layout import Capacity
from voiceroom_mixer.core.state.legstate import LegState, RoomState
from voiceroom_mixer.core.state.messages import Address, Kind, Message
from voiceroom_mixer.edge import shm

SMALL = Capacity(rooms=8, legs=64, events=64, revoked=16)
CLIENT = Address(socket.inet_aton("127.0.0.1"), 50_000)


class FakeMedia:
    """One media process and its segment; ``link()`` is what a control process has of it."""

    def __init__(self, index: int = 0, capacity: Capacity = SMALL) -> None:
        self.index = index
        self.capacity = capacity
        self._fd = os.memfd_create("fake-segment")
        self.segment = shm.attach(self._fd, capacity)
        self._control, self._pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pair.setblocking(False)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", 0))
        self._links: list[MediaLink] = []
        self.told: list[Message] = []

    def link(self) -> MediaLink:
        """As a new control process gets it: mapped afresh over the same descriptors."""
        segment = shm.attach(self._fd, self.capacity)
        link = MediaLink(self.index, segment, self._control.dup(), self.udp.dup())
        self._links.append(link)
        return link

    def close(self) -> None:
        """Give all descriptors back."""
        for link in self._links:
            link.close()
        for sock in (self._control, self._pair, self.udp):
            sock.close()
        os.close(self._fd)

    def legs(self) -> list[LegState]:
        """What the rows say."""
        return [LegState.from_bytes(blob) for _, blob in self.segment.tables["legs"].used()]

    def rooms(self) -> list[RoomState]:
        """What the rows say."""
        return [RoomState.from_bytes(blob) for _, blob in self.segment.tables["rooms"].used()]

    def leg(self, leg_id: str) -> LegState:
        """One leg's row."""
        return next(state for state in self.legs() if state.leg == leg_id)

    def look(self) -> None:
        """Read the messages; adopt new legs and let go of those that are gone."""
        self.told += self.read()
        present = {state.slot: state for state in self.legs()}
        columns = self.segment.columns
        for slot in range(self.segment.tables["legs"].high):
            state = present.get(slot)
            if state is None:
                columns["phase"][slot] = layout.PHASE_FREE
            elif int(columns["generation"][slot]) != state.generation:
                self._adopt(state)

    def _adopt(self, state: LegState) -> None:
        columns = self.segment.columns
        for column in columns.values():
            column[state.slot] = 0
        columns["generation"][state.slot] = state.generation
        columns["level"][state.slot] = 127
        columns["phase"][state.slot] = layout.PHASE_WAITING

    def read(self) -> list[Message]:
        """Messages from control that have not been read."""
        found = []
        while True:
            try:
                found.append(messages.parse(self._pair.recv(messages.MAX_MESSAGE)))
            except BlockingIOError:
                return found

    def set(self, leg_id: str, **columns: int) -> None:
        """Write columns of an adopted leg."""
        state = self.leg(leg_id)
        for name, value in columns.items():
            self.segment.columns[name][state.slot] = value

    def say(self, kind: Kind, leg: LegState, payload: bytes = b"") -> None:
        """A message to control."""
        self._pair.send(Message(kind, leg.slot, leg.generation, payload).to_bytes())

    def say_raw(self, raw: bytes) -> None:
        """Anything to control."""
        self._pair.send(raw)

    def say_dtls(self, leg: LegState, datagram: bytes) -> None:
        """Forward a DTLS datagram of the leg."""
        self.say(Kind.DTLS, leg, CLIENT.to_bytes() + datagram)

    def end(self, leg_id: str, reason: int, *, tell: bool = True) -> None:
        """Let go of a leg, with or without the message getting through."""
        state = self.leg(leg_id)
        self.set(leg_id, phase=layout.PHASE_ENDED, end_reason=reason)
        if tell:
            self.say(Kind.ENDED, state, bytes((reason,)))

    def refill(self, leg: LegState, size_ms: int, target_ms: int, last_seq: int, ssrc: int) -> None:
        """A ``JB refill timeout``."""
        self.say(Kind.REFILL, leg, struct.pack("!IIII", size_ms, target_ms, last_seq, ssrc))
