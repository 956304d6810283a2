"""Control's side of one media process: its rows, its messages, its UDP socket."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import Counter
from collections.abc import Callable
from typing import Final, Self

import numpy as np

from voiceroom_mixer.control.figures import LegFigures
from voiceroom_mixer.control.slots import SlotPool
from voiceroom_mixer.core.state import layout, messages
from voiceroom_mixer.core.state.legstate import LegState, RoomState
from voiceroom_mixer.core.state.marks import Mark
from voiceroom_mixer.core.state.messages import Address, Kind, Message, MessageError
from voiceroom_mixer.edge import shm
from voiceroom_mixer.edge.mmsg import source_message
from voiceroom_mixer.edge.shm import Segment

MAX_MESSAGES: Final = 256
"""Read at one wake-up of the loop, so that a flood of them starves nobody."""
SEND_TRIES: Final = 8
_OF_ANOTHER: Final = frozenset(
    (errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ECONNRESET)
)
"""What a send may report of an earlier datagram, media's included, to somebody who has gone
(IP_RECVERR): nothing of ours was sent, and the next try tells of this one."""
_BUSY: Final = (BlockingIOError, InterruptedError)
OnMessage = Callable[["MediaLink", Message], None]


class MediaLink:
    """One media process as control sees it. Never blocks: what does not fit is counted.

    ``counters``: messages_sent, messages_dropped, messages_received, messages_malformed,
    datagrams_sent, datagrams_dropped, unreachable.
    """

    def __init__(
        self, index: int, segment: Segment, pair: socket.socket, udp: socket.socket
    ) -> None:
        self.index = index
        self.segment = segment
        self.counters: Counter[str] = Counter()
        self.revision = 0
        """Grows with every row that is written: who keeps a copy looks again."""
        self.on_written: Callable[[], None] = lambda: None
        """Called at each."""
        self._pair, self._udp = pair, udp
        self._rooms, self._legs = segment.tables["rooms"], segment.tables["legs"]
        self._marks = segment.tables["marks"]
        self._adopted = segment.columns["generation"]
        self._phase = segment.columns["phase"]
        self.room_slots = SlotPool(self._rooms.rows, lambda slot: True)
        self.leg_slots = SlotPool(self._legs.rows, self._let_go)
        self._loop: asyncio.AbstractEventLoop | None = None
        pair.setblocking(False)
        udp.setblocking(False)

    @classmethod
    def from_fds(cls, index: int, segment: int, pair: int, udp: int) -> Self:
        """Over inherited descriptors, which it then owns. Raises ``shm.SegmentError``."""
        return cls(
            index, shm.attach(segment), socket.socket(fileno=pair), socket.socket(fileno=udp)
        )

    @property
    def udp_port(self) -> int:
        """Where this media process is reached."""
        return int(self._udp.getsockname()[1])

    @property
    def is_ipv6(self) -> bool:
        """A dual-stack IPv6 socket; otherwise IPv4 only."""
        return self._udp.family == socket.AF_INET6

    def start(self, on_message: OnMessage) -> None:
        """Read messages on the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._pair, self._read, on_message)

    def stop(self) -> None:
        """Read no more; the descriptors stay open, media goes on."""
        if self._loop is not None:
            self._loop.remove_reader(self._pair)
            self._loop = None

    def close(self) -> None:
        """``stop``, and give the descriptors back."""
        self.stop()
        self._pair.close()
        self._udp.close()

    def _read(self, on_message: OnMessage) -> None:
        for _ in range(MAX_MESSAGES):
            try:
                raw = self._pair.recv(messages.MAX_MESSAGE)
            except _BUSY:
                return
            if not raw:
                self.stop()  # the keeper is gone, and we are about to be
                return
            self._take(raw, on_message)

    def _take(self, raw: bytes, on_message: OnMessage) -> None:
        try:
            message = messages.parse(raw)
        except MessageError:
            self.counters["messages_malformed"] += 1
            return
        self.counters["messages_received"] += 1
        on_message(self, message)

    def send(self, message: Message) -> bool:
        """Tell media to look again; False when its queue is full (it looks by itself as well)."""
        try:
            self._pair.send(message.to_bytes())
        except OSError:
            self.counters["messages_dropped"] += 1
            return False
        self.counters["messages_sent"] += 1
        return True

    def send_datagram(self, to: Address, datagram: bytes) -> bool:
        """Send from the media port; False, counted, when the kernel cannot take it now."""
        host = _host(to.ip, self.is_ipv6)
        if host is None:
            self.counters["unreachable"] += 1
            return False
        source = source_message(self._udp.family, to.local)
        for _ in range(SEND_TRIES):
            try:
                self._udp.sendmsg([datagram], source, 0, (host, to.port))
            except OSError as error:
                if error.errno in _OF_ANOTHER:
                    continue
                break
            self.counters["datagrams_sent"] += 1
            return True
        self.counters["datagrams_dropped"] += 1
        return False

    def write_leg(self, state: LegState) -> None:
        """Publish a leg's row. Raises ``ValueError`` when the state is too long for it."""
        self._legs.write(state.slot, state.to_bytes())
        self._wrote()
        self.send(Message(Kind.LEG, state.slot, state.generation))

    def write_mark(self, slot: int, mark: Mark) -> None:
        """Where a leg's streams stand at the pod that sends to it; media reads it when it must."""
        self._marks.write(slot, mark.to_bytes())

    def clear_leg(self, state: LegState) -> None:
        """Take a leg out: media says BYE and lets go; the slot is used again after that."""
        self._legs.clear(state.slot)
        self._wrote()
        self.leg_slots.release(state.slot)
        self.send(Message(Kind.LEG, state.slot, state.generation))

    def write_room(self, state: RoomState) -> None:
        """Publish a room's row."""
        self._rooms.write(state.slot, state.to_bytes())
        self._wrote()
        self.send(Message(Kind.ROOM, state.slot, state.generation))

    def clear_room(self, state: RoomState) -> None:
        """Take a room out, with all of its legs."""
        self._rooms.clear(state.slot)
        self._wrote()
        self.room_slots.release(state.slot)
        self.send(Message(Kind.ROOM, state.slot, state.generation))

    def lease_leg(self) -> tuple[int, int] | None:
        """(slot, generation) for a new leg; None when the segment is full. The generation is
        above any that media has ever adopted in that slot."""
        slot = self.leg_slots.lease()
        if slot is None:
            return None
        return slot, self.leg_slots.next_generation(slot, int(self._adopted[slot]))

    def lease_room(self) -> tuple[int, int] | None:
        """(slot, generation) for a new room; None when the segment is full. A row's sequence number
        outlives what stood in it, so a generation above it is new."""
        slot = self.room_slots.lease()
        if slot is None:
            return None
        return slot, self.room_slots.next_generation(slot, int(self._rooms.sequences[slot]))

    def heard_from(self, port: int) -> frozenset[int]:
        """Slots where media wrote, for the leg of now or for one before it, that it is heard from
        this port; none for 0."""
        ports = self.segment.columns["address_port"]
        return frozenset(np.flatnonzero(ports == port).tolist()) if port else frozenset()

    def figures(self, state: LegState) -> LegFigures:
        """What media last wrote about this leg; all zero before it has adopted it."""
        return LegFigures.read(self.segment.columns, state.slot, state.generation)

    def _wrote(self) -> None:
        self.revision += 1
        self.on_written()

    def _let_go(self, slot: int) -> bool:
        return int(self._phase[slot]) in (layout.PHASE_FREE, layout.PHASE_ENDED)


def _host(ip: bytes, is_ipv6: bool) -> str | None:
    """The address as the socket wants it: IPv4 on a dual-stack socket is ::ffff:a.b.c.d."""
    if len(ip) == 4:
        return ("::ffff:" if is_ipv6 else "") + socket.inet_ntop(socket.AF_INET, ip)
    return socket.inet_ntop(socket.AF_INET6, ip) if is_ipv6 else None
