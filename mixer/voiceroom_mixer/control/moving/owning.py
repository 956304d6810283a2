"""The side that mixes: its twin, the order to stop, and what people are told when it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.control.moving.feeds import Feed, Feeds, Follower
from voiceroom_mixer.control.moving.standing import Standing
from voiceroom_mixer.control.rooms.begun import begun, is_mixed
from voiceroom_mixer.control.rooms.house import NO_TWIN, House, Twin
from voiceroom_mixer.control.rooms.registry import Room
from voiceroom_mixer.control.service import ApiError

TOLD_NS: Final = 15_000 * NS_PER_MS
"""Media tells its epoch for 10 s."""
CUT_NS: Final = 2_000 * NS_PER_MS
"""An order that media has not followed by then is withdrawn."""


class Owning:
    """Rooms of the registry that others stand by for."""

    def __init__(self, house: House, standing: Standing, feeds: Feeds) -> None:
        self._house, self._standing, self._feeds = house, standing, feeds
        self.wanted_twin: Callable[[str], str] = lambda _: ""
        """By the room's name: the pod that the operator has made its twin."""
        self.places: dict[str, tuple[str, str, int]] = {}
        """By the room's name: pod, admin listener and epoch of whoever it was given to."""
        self._ordered: dict[str, tuple[Follower, int]] = {}
        """By the room's name: who is to have it, and until when it may be withdrawn."""
        self._told_since_ns: dict[str, int] = {}
        """By the room's name: since when the one before us is told that it is ours for good."""
        house.twin = self.twin

    # Twins

    def joined(self, room: Room, follower: Follower) -> None:
        """A pod reads the room's feed from now on."""
        if follower.pod == self.wanted_twin(room.name):
            self._be_paired(room, follower.media)

    def left(self, feed: Feed) -> None:
        """It does not any more."""
        room = self._house.registry.rooms.get(feed.room.name)
        if room is feed.room and room.state.seat.other == feed.follower.media:
            self._be_paired(room, "")

    def look(self, now_ns: int) -> None:
        """Once a second: pair each room with the twin that it is to have, if that reads its feed;
        withdraw orders that were not followed, and forget for whom they were."""
        for room in list(self._house.registry.rooms.values()):
            feed = self._feeds.of(room.name, self.wanted_twin(room.name))
            self._be_paired(room, feed.follower.media if feed is not None else "")
            seat = room.state.seat
            if seat.to_pod and not seat.to and is_mixed(room.link, room.state):
                self._write(room, to_pod="", to_epoch=0)
        for name, (_, until_ns) in list(self._ordered.items()):
            if now_ns >= until_ns:
                self.withdraw(name)
        self._let_formers_go(now_ns)

    def _let_formers_go(self, now_ns: int) -> None:
        """Of rooms whose later epoch media has told the one before us for long enough: he takes
        nothing back at that, and need not hear us any more. The twin hears us in any case."""
        since_ns: dict[str, int] = {}
        for room in self._house.registry.rooms.values():
            seat, began = room.state.seat, begun(room.link, room.state)[0]
            if seat.hears and (seat.epoch > began or seat.hears == seat.other):
                since_ns[room.name] = self._told_since_ns.get(room.name, now_ns)
                if now_ns - since_ns[room.name] >= TOLD_NS:
                    self._write(room, hears="")
        self._told_since_ns = since_ns

    def look_at_orders(self) -> None:
        """Every 20 ms: whoever has gone before its cut is given nothing, and the room goes on."""
        for name, (follower, _) in list(self._ordered.items()):
            room = self._house.registry.rooms.get(name)
            feed = self._feeds.of(name, follower.pod)
            is_there = feed is not None and feed.is_read()
            if room is not None and not is_there and is_mixed(room.link, room.state):
                self.withdraw(name)

    def _be_paired(self, room: Room, media: str) -> None:
        seat = room.state.seat
        if seat.other == media:
            return
        self._write(room, other=media)
        if media:
            self._tell_unprotected(room)

    def _write(self, room: Room, **fields: Any) -> None:
        room.state = replace(room.state, seat=replace(room.state.seat, **fields))
        room.link.write_room(room.state)

    def twin(self, room: Room) -> Twin:
        """Who stands by for the room now."""
        pod = self.wanted_twin(room.name)
        feed = self._feeds.of(room.name, pod) if pod else None
        return Twin(pod, feed.follower.candidates) if feed is not None else NO_TWIN

    def _tell_unprotected(self, room: Room) -> None:
        """Legs whose answer lists another pod than today's twin: their pages restart ICE."""
        twin = self.wanted_twin(room.name)
        for leg in room.legs.values():
            if leg.state.local_ice is not None and leg.state.extra.get("twin", "") != twin:
                data = {"id": leg.id, "epoch": room.state.seat.epoch}
                self._house.publish(room.name, "move", data)

    def listeners(self) -> dict[int, set[str]]:
        """By media process: the media of those who are to miss it."""
        found: dict[int, set[str]] = {}
        for rooms in (self._house.registry.rooms, self._standing.rooms):
            for room in rooms.values():
                found.setdefault(room.link.index, set()).update(room.state.seat.listeners())
        return found

    def unprotected(self) -> int:
        """WebRTC legs whose answer does not list the twin that their room has now."""
        return sum(
            leg.state.extra.get("twin", "") != self.wanted_twin(leg.room.name)
            for leg in self._house.registry.legs()
            if leg.state.local_ice is not None and leg.room.state.seat.other
        )

    # Moves

    @property
    def orders(self) -> int:
        """How many may still be withdrawn."""
        return len(self._ordered)

    def order(self, room: Room, body: Mapping[str, Any], now_ns: int) -> None:
        """Stop in favour of the pod in ``body``. Raises ``ApiError`` 409 ``not_this_room``,
        ``old_epoch``, ``behind``, ``moving``; then nothing has changed."""
        pod, epoch = str(body.get("pod", "")), _number(body, "epoch")
        if body.get("uid") != room.state.extra.get("uid"):
            raise ApiError(409, "not_this_room", "another room of that name is here")
        if epoch <= room.state.seat.epoch:
            raise ApiError(409, "old_epoch", f"epoch {room.state.seat.epoch} is mixed here")
        feed = self._feeds.of(room.name, pod)
        if feed is None or feed.behind(_number(body, "version")):
            raise ApiError(409, "behind", "the feed has more than that")
        ordered = self._ordered.get(room.name)
        if ordered is not None and ordered[0].pod != pod:
            raise ApiError(409, "moving", f"the room is on its way to {ordered[0].pod}")
        self._ordered[room.name] = (feed.follower, now_ns + CUT_NS)
        self._house.registry.frozen.add(room.name)
        move = str(body.get("move", ""))[:128]
        reader = feed.follower
        self._write(room, to=reader.media, to_epoch=epoch, to_pod=reader.process, move=move)

    def withdraw(self, name: str) -> None:
        """The room goes on here after all. Whom it was to go to stays on record: media may have
        stopped in this moment, and listens for him then."""
        self._ordered.pop(name, None)
        self._house.registry.frozen.discard(name)
        room = self._house.registry.rooms.get(name)
        if room is not None and room.state.seat.to:
            self._write(room, to="", move="")

    def stopped(self, room: Room, by: int, target: str) -> None:
        """Media mixes it no more, and whoever is at ``target`` does under the epoch ``by`` (0 and
        empty: not known): pages restart ICE, gateways learn the new address, and people's requests
        go there."""
        follower, _ = self._ordered.pop(room.name, (None, 0))
        self._house.registry.frozen.discard(room.name)
        seat = room.state.seat
        epoch = by or seat.to_epoch or seat.epoch + 1
        if follower is not None:
            self.places[room.name] = (follower.pod, follower.admin, epoch)
            tell_moved(self._house, room, follower.candidates)
        self._house.publish(room.name, "move", {"epoch": epoch})
        self._feeds.close_room(room.name)
        other = target or seat.to or (follower.media if follower is not None else "")
        self._standing.give_away(room, seat.given_away(other, by))


def tell_moved(house: House, room: Room, candidates: tuple[tuple[str, int], ...]) -> None:
    """Event ``moved`` of each plain-RTP leg: where it is sent to, and from, from now on."""
    for leg in room.legs.values():
        if leg.state.kind != "rtp":
            continue
        v6 = ":" in (leg.state.remote_ip or "")
        fitting = next(((ip, port) for ip, port in candidates if (":" in ip) == v6), None)
        if fitting is not None:
            data = {"id": leg.id, "ip": fitting[0], "port": fitting[1]}
            house.publish(room.name, "moved", data)


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ApiError(422, "invalid_field", f"{name}: must be a whole number", field=name)
    return value
