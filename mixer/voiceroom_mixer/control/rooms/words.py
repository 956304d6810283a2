"""What media says, and what comes of it. A lost word is made up for by the reaper's look."""

from __future__ import annotations

import asyncio
import logging
import struct
from collections.abc import Callable
from typing import Final

from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.rooms.context import Publish
from voiceroom_mixer.control.rooms.leaving import Leaving
from voiceroom_mixer.control.rooms.registry import Leg, Registry
from voiceroom_mixer.core.state.messages import Kind, Message, MessageError, parse_address

_log = logging.getLogger(__name__)
_REFILL: Final = struct.Struct("!IIII")


class MediaWords:
    """The ``on_message`` of every link.

    Counts in the registry: ``dtls_no_session`` (a leg older than this control process),
    ``stale_messages``, ``words_malformed``.
    """

    def __init__(self, registry: Registry, leaving: Leaving, publish: Publish) -> None:
        self._registry = registry
        self._leaving = leaving
        self._publish = publish
        self.on_room: Callable[[MediaLink, Message], None] = lambda *_: None
        """Told what media says of whole rooms."""
        self._said_bye: set[int] = set()
        self._bye = asyncio.Event()
        self._on_leg = {
            Kind.DTLS: self._dtls,
            Kind.NOMINATED: self._nominated,
            Kind.ENDED: self._ended,
            Kind.TALKING: self._talking,
            Kind.REFILL: self._refill,
            Kind.HEARD: self._heard,
            Kind.ANOTHER_PATH: self._another_path,
        }

    def __call__(self, link: MediaLink, message: Message) -> None:
        """One message of one media process."""
        if message.kind in (Kind.ROOM_BEGUN, Kind.ROOM_STOPPED):
            self.on_room(link, message)
            return
        if message.kind == Kind.BYE_DONE:
            self._said_bye.add(link.index)
            self._bye.set()
            return
        act = self._on_leg.get(message.kind)
        leg = self._registry.at(link, message.slot, message.generation) if act else None
        if act is None or leg is None:
            return
        try:
            act(leg, message.payload)
        except (MessageError, struct.error, IndexError):
            self._registry.counters["words_malformed"] += 1

    async def all_said_bye(self, count: int, timeout_s: float) -> bool:
        """Wait until ``count`` media processes have said BYE on every leg; whether they have."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self._said_bye) < count:
                    self._bye.clear()
                    await self._bye.wait()
        except TimeoutError:
            return False
        return True

    def _dtls(self, leg: Leg, payload: bytes) -> None:
        source, datagram = parse_address(payload)
        if leg.handshake is None:
            self._registry.counters["dtls_no_session"] += 1
        elif datagram:
            leg.handshake.feed(source, datagram)

    def _nominated(self, leg: Leg, payload: bytes) -> None:
        address, _ = parse_address(payload)
        if leg.handshake is not None:
            leg.handshake.nominate(address)

    def _ended(self, leg: Leg, payload: bytes) -> None:
        self._leaving.ended(leg, payload[0])

    def _talking(self, leg: Leg, payload: bytes) -> None:
        self.set_talking(leg, bool(payload[0]))

    def set_talking(self, leg: Leg, talking: bool) -> None:
        """Tell clients once for each change."""
        if leg.talking != talking:
            leg.talking = talking
            data = {"id": leg.id, "identity": leg.state.identity}
            self._publish(leg.room.name, "talking" if talking else "silent", data)

    def _refill(self, leg: Leg, payload: bytes) -> None:
        size_ms, target_ms, last_seq, ssrc = _REFILL.unpack(payload)
        fields = {"room": leg.room.name, "leg": leg.id}
        fields |= {"size_ms": size_ms, "target_ms": target_ms, "last_seq": last_seq}
        fields["ssrc"] = ssrc
        _log.warning("JB refill timeout", extra=fields)

    def _another_path(self, leg: Leg, _payload: bytes) -> None:
        """As for a leg that does not know of its room's twin. A room that changes pods has all its
        pages ask anyhow."""
        if leg.room.name not in self._registry.frozen:
            data = {"id": leg.id, "epoch": leg.room.state.seat.epoch}
            self._publish(leg.room.name, "move", data)

    def _heard(self, leg: Leg, _payload: bytes) -> None:
        if leg.state.replaces:
            self._leaving.changed_over(leg)
