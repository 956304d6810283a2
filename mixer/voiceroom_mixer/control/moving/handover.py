"""All of a pod's rooms that have to do with other pods: told by assignments, carried out with the
feeds, told to media by seats, and taken back from media by its columns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import aiohttp

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.config import RoomEntry
from voiceroom_mixer.control.events.journal import AHEAD, Event, Journal
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.moving.channel import Channel
from voiceroom_mixer.control.moving.feeds import Feeds
from voiceroom_mixer.control.moving.following import Following
from voiceroom_mixer.control.moving.owning import Owning, tell_moved
from voiceroom_mixer.control.moving.standing import Standing, owner_epoch, stands, waiting
from voiceroom_mixer.control.moving.waits import Chair, Wait
from voiceroom_mixer.control.rooms.begun import begun, came, how_begun, is_mixed, warm_epoch
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.recovery import settings
from voiceroom_mixer.control.rooms.registry import Room
from voiceroom_mixer.control.signalling import ice
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.state.messages import Kind, Message
from voiceroom_mixer.core.state.seat import Seat, room_key

ORDER_S: Final = 0.45
"""An owner that has not answered by then is about to be taken over."""
AGAIN_NS: Final = 50 * NS_PER_MS
REFUSED_NS: Final = 1_000 * NS_PER_MS
ALL_NS: Final = 200 * NS_PER_MS
_CONFLICT: Final = 409
_log = logging.getLogger(__name__)


@dataclass
class Handover:
    """``look`` every 20 ms, at every fifth of these while it ``rests``, and after each row that was
    written."""

    house: House
    standing: Standing
    feeds: Feeds
    owning: Owning
    journal: Journal
    pod: str
    channel: Channel
    media_of: Callable[[MediaLink], str]
    """HOST:PORT of one of our media processes, for other mixers; no HOST = where we call from."""
    process_of: Callable[[MediaLink], str]
    """The same process in datagrams, hex."""
    admin: str = ""
    """HOST:PORT of our admin listener, like ``media_of``."""
    _waits: dict[str, Wait] = field(default_factory=dict)
    moved_in: int = 0
    taken_over: int = 0
    _all_due_ns: int = 0

    # Assignments

    def apply(self, chairs: Iterable[Chair]) -> None:
        """These are the rooms that we stand by for; others that we stood by for are let go of."""
        wanted = {chair.room["name"]: chair for chair in chairs}
        for room in waiting(self.standing.rooms):
            if room.name not in wanted and not self._is_ours(room):
                self._let_go(room)
        for chair in wanted.values():
            self._stand(chair)

    def _stand(self, chair: Chair) -> None:
        name, epoch = chair.room["name"], chair.room.get("epoch", 0)
        own = self.house.registry.rooms.get(name)
        if own is not None:
            if own.state.seat.epoch >= epoch:
                return  # the operator has yet to hear of it
            self._yield(own)
        room = self.standing.rooms.get(name)
        uid = chair.room.get("uid", "")
        if room is not None and room.state.extra.get("uid", "") != uid:
            self._let_go(room)
            room = None
        if room is not None and self._is_ours(room):
            return
        seat = self._seat(chair)
        if room is None:
            room = self.standing.open(chair.room, seat)
        if room is not None:
            self._keep_settings(room, chair.room)
            self._take_part(room, chair, seat)

    def _keep_settings(self, room: Room, entry: RoomEntry) -> None:
        """As in the spec; whether it is locked the owner says, and frames change with nobody in."""
        wanted = settings(entry["spec"])
        del wanted["locked"]
        if room.legs:
            del wanted["frame_ms"]
        self.standing.change(room, **wanted)

    def _seat(self, chair: Chair) -> Seat:
        return Seat(
            part=chair.part,
            epoch=chair.room.get("epoch", 0),
            key=room_key(chair.room.get("uid", "")),
            owner_epoch=chair.owner_epoch,
            move=chair.move,
        )

    def _take_part(self, room: Room, chair: Chair, seat: Seat) -> None:
        """A known room may change its part; what the feed has said of it is kept."""
        wait = self._waits.setdefault(room.name, Wait())
        before = room.state.seat
        known = wait.following is not None and wait.following.owner == chair.owner
        if known and before.part == seat.part and before.epoch == seat.epoch:
            return
        if chair.forced and before.ordered and before.epoch == seat.epoch:
            return
        ordered = (before.ordered and before.epoch == seat.epoch) or chair.forced
        seat = replace(seat, ordered=ordered, other=before.other)
        if before.part == "former" and before.owner_epoch == seat.owner_epoch:
            seat = replace(seat, pod=before.pod)  # it is listened for already
        if known:
            heard = owner_epoch(seat, before.owner_epoch)
            seat = replace(seat, pod=before.pod, owner_epoch=heard)
        self.standing.change(room, seat=seat)
        wait.chair = chair
        if not known:
            self._follow(room, wait, chair.owner)

    def _follow(self, room: Room, wait: Wait, owner: str) -> None:
        if wait.following is not None:
            wait.following.stop()
        following = Following(room, owner, self.standing, self._greeted, self._revoked)
        wait.following = following
        if owner:
            following.start(self._connect)

    async def _connect(self, following: Following) -> None:
        room = following.room
        advertised = self.house.advertised[room.link.index]
        listed = [f"{c.ip} {c.port}" for c in advertised.candidates]
        query = {
            "pod": self.pod,
            "part": room.state.seat.part,
            "media": self.media_of(room.link),
            "process": self.process_of(room.link),
            "candidates": ",".join(listed),
            "admin": self.admin,
        }
        await self.channel.follow(following, query)

    def _greeted(self, room: Room, hello: Mapping[str, Any], owner: str) -> None:
        """The owner says which of its media processes mixes the room, and under which epoch."""
        host, _, port = str(hello["media"]).rpartition(":")
        media = f"{host or owner.rpartition(':')[0]}:{port}"
        if stands(room):
            self.standing.reseat(room, other=media, pod=str(hello["pod"]))
            self.standing.heard_epoch(room, int(hello["epoch"]))

    def _revoked(self, digest: str, expires_s: int) -> None:
        self.house.revoked.add_digest(bytes.fromhex(digest), expires_s)

    def _let_go(self, room: Room) -> None:
        wait = self._waits.pop(room.name, None)
        if wait is not None:
            wait.end()
        self.standing.close(room)

    def _yield(self, room: Room) -> None:
        """The operator says that another pod mixes it under a later epoch: stop, and stand by."""
        self.owning.withdraw(room.name)
        self.feeds.close_room(room.name)
        self.journal.forget(room.name)
        seat = replace(room.state.seat, to_pod="")  # nothing is left to be taken back
        self.house.publish(room.name, "move", {"epoch": seat.epoch + 1})
        self.standing.give_away(room, seat.given_away("", 0))

    # What assignments of owned rooms have to leave alone

    def disclaim(self, named: Collection[str]) -> None:
        """The operator has rooms that are not ``named`` elsewhere for good, perhaps with a twin:
        this pod takes none of them back."""
        for room in self.standing.rooms.values():
            if room.state.seat.part == "former" and room.name not in named:
                self.standing.reseat(room, pod="", owner_epoch=0)

    def owns(self, name: str, epoch: int) -> bool:
        """The room is mixed here under a later epoch than the assignment knows of."""
        room = self.house.registry.rooms.get(name)
        return room is not None and room.state.seat.epoch > epoch

    def has_given_away(self, name: str, uid: str, epoch: int) -> bool:
        """The room was given away under this epoch, or a later one."""
        room = self.standing.rooms.get(name)
        if room is None or stands(room) or room.state.extra.get("uid", "") != uid:
            return False
        return max(room.state.seat.epoch, begun(room.link, room.state)[1]) >= epoch

    def waits_for(self, name: str, uid: str) -> bool:
        """Legs of the room are known here: whoever is made its owner goes on with them."""
        room = self.standing.rooms.get(name)
        return room is not None and room.state.extra.get("uid", "") == uid

    # Life

    def look(self, now_ns: int) -> None:
        """Feeds, orders that are due, and what media has begun or stopped. Media tells of a twin
        that has taken over: those are asked seldom, in case that word was lost."""
        self.feeds.pump(now_ns)
        self.owning.look_at_orders()
        all_ = now_ns >= self._all_due_ns
        if all_:
            self._all_due_ns = now_ns + ALL_NS
        for room in list(self.standing.rooms.values()):
            if not all_ and room.state.seat.part != "successor":
                continue
            wait = self._waits.get(room.name)
            if wait is not None and wait.following is not None:
                wait.following.note()
            self._advance(room, now_ns)

    def rests(self) -> bool:
        """No move is under way here."""
        rooms = self.standing.rooms.values()
        return not self.owning.orders and all(r.state.seat.part != "successor" for r in rooms)

    def look_again(self, now_ns: int) -> None:
        """Once a second: what a lost word would have said."""
        for room in list(self.house.registry.rooms.values()):
            if not is_mixed(room.link, room.state):
                self._stopped(room, 0, "")
        self.owning.look(now_ns)
        self.standing.sweep()

    def _is_ours(self, room: Room) -> bool:
        """Media has begun to mix a room that stood by."""
        return is_mixed(room.link, room.state)

    def _advance(self, room: Room, now_ns: int) -> None:
        if self._is_ours(room):
            self._begun(room)
            return
        wait = self._waits.get(room.name)
        if wait is None or room.state.seat.part != "successor" or wait.following is None:
            return
        if wait.ordering is not None or now_ns < wait.not_before_ns or room.state.seat.ordered:
            return
        ready = wait.following.is_whole or (wait.following.version < 0 and wait.following.was_whole)
        if not ready or not self.standing.adopted(room):
            return
        self.standing.reseat(room, warm=True)
        if warm_epoch(room.link, room.state) == room.state.seat.epoch:
            self.standing.reseat(room, ordered=True)
            wait.ordering = asyncio.create_task(self._order(room, wait), name="order")

    async def _order(self, room: Room, wait: Wait) -> None:
        """Media's clock of the take-over runs already: whoever does not answer is taken over."""
        following, seat = wait.following, room.state.seat
        assert following is not None
        body = {
            "pod": self.pod,
            "uid": room.state.extra.get("uid", ""),
            "epoch": seat.epoch,
            "move": seat.move,
            "version": max(0, following.version),
        }
        status = 0
        try:
            status = await self.channel.order(following.owner, room.name, body, ORDER_S)
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("order", extra={"room": room.name, "error": str(error)})
        finally:
            wait.ordering = None
        if 400 <= status < 500:
            behind = status == _CONFLICT
            self._refused(room, wait, AGAIN_NS if behind else REFUSED_NS)

    def _refused(self, room: Room, wait: Wait, pause_ns: int) -> None:
        """It goes on there; try again."""
        if stands(room) and not self._is_ours(room):
            wait.not_before_ns = self.house.clock.now_ns() + pause_ns
            self.standing.reseat(room, ordered=False)

    # What media says

    def word(self, link: MediaLink, message: Message) -> None:
        """``ROOM_BEGUN`` or ``ROOM_STOPPED``."""
        room = self._at(link, message)
        if room is None:
            return
        if message.kind == Kind.ROOM_STOPPED and room.name in self.house.registry.rooms:
            by = int.from_bytes(message.payload[4:8], "big")
            self._stopped(room, by, message.payload[8:].decode("ascii", "replace"))
        elif message.kind == Kind.ROOM_BEGUN and room.name in self.standing.rooms:
            self._begun(room)

    def _at(self, link: MediaLink, message: Message) -> Room | None:
        for rooms in (self.house.registry.rooms, self.standing.rooms):
            for room in rooms.values():
                at = (room.link.index, room.state.slot, room.state.generation)
                if at == (link.index, message.slot, message.generation):
                    return room
        return None

    def _stopped(self, room: Room, epoch: int, target: str) -> None:
        self.journal.forget(room.name)
        self.owning.stopped(room, epoch, target)

    def _begun(self, room: Room) -> None:
        """It is ours: people find it here, and are told."""
        wait = self._waits.pop(room.name, Wait())
        was = room.state.seat
        epoch, _ = begun(room.link, room.state)
        taken = how_begun(room.link, room.state) == layout.BEGAN_TAKEN
        self._inherit(room, wait)
        wait.end()
        self.owning.places.pop(room.name, None)
        self.standing.become_owner(room, was.begun(epoch))
        self.taken_over += taken
        self.moved_in += not taken
        for leg in list(room.legs.values()):
            self._take_leg(room, leg.id)
        own = self.house.advertised[room.link.index].candidates
        tell_moved(self.house, room, tuple((c.ip, c.port) for c in own))
        self.house.publish(room.name, "move", {"epoch": epoch})
        fields = {"room": room.name, "epoch": epoch, "taken": taken, "from": was.other}
        _log.info("the room is mixed here", extra=fields)

    def _take_leg(self, room: Room, leg_id: str) -> None:
        leg = room.legs[leg_id]
        if leg.state.kind == "webrtc" and leg.state.srtp is None:
            self.house.leaving.leave(leg, "lost")  # its handshake was with the other pod
        elif leg.state.previous_ice is not None:
            leg.previous_ice_until_ns = self.house.clock.now_ns() + ice.PREVIOUS_NS

    def _inherit(self, room: Room, wait: Wait) -> None:
        """A former owner does not know which ids were given since: who has one looks anew."""
        unknown: dict[str, Any] = {"next": self.journal.next_id + 2 * AHEAD}
        events = wait.following.events if wait.following is not None else unknown
        tail = [Event(int(i), room.name, str(t), dict(d)) for i, t, d in events.get("tail", [])]
        self.journal.inherit(room.name, int(events.get("next", 1)), tail)

    # For people and the operator

    def seats(self) -> dict[str, dict[str, Any]]:
        """By room, what differs from its entry in the assignment: ``role``, ``epoch``, ``legs``,
        and whether a twin or a successor is ``prepared``."""
        found: dict[str, dict[str, Any]] = {}
        for room in self.house.registry.rooms.values():
            seat = room.state.seat
            found[room.name] = {"role": "owner", "epoch": seat.epoch} | came(room.link, room.state)
        for room in self.standing.rooms.values():
            seat, wait = room.state.seat, self._waits.get(room.name)
            known = wait is not None and wait.following is not None and wait.following.is_whole
            found[room.name] = {
                "role": seat.part,
                "epoch": seat.epoch,
                "legs": len(room.legs),
                "prepared": known and self.standing.adopted(room),
            }
        return found

    def tasks(self) -> int:
        """asyncio tasks that it has now."""
        each = (w for w in self._waits.values())
        return sum(
            (w.following is not None and w.following.task is not None) + (w.ordering is not None)
            for w in each
        )

    async def stop(self) -> None:
        """End all tasks; what stands in the segments stays."""
        self.feeds.close_all()
        for wait in self._waits.values():
            wait.end()
        await self.channel.stop()
