"""Everything that a mixer has in a pod and not on a laptop, wired."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.config import PodPlace, RealtimeAsk, RoomEntry, RunConfig
from voiceroom_mixer.control.admin.assignment import Assignment, Seat
from voiceroom_mixer.control.admin.desk import Desk
from voiceroom_mixer.control.admin.directory import Place
from voiceroom_mixer.control.admin.forwarding import Forwarder
from voiceroom_mixer.control.admin.status import PodStatus
from voiceroom_mixer.control.admin.store import Store
from voiceroom_mixer.control.admin.trust import Trust, pool_files
from voiceroom_mixer.control.auth.keys import KeySet
from voiceroom_mixer.control.auth.tokens import sign
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.export.drift import judgement
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.moving.announce import Announce
from voiceroom_mixer.control.moving.channel import Channel
from voiceroom_mixer.control.moving.feeds import Feeds
from voiceroom_mixer.control.moving.handover import Handover
from voiceroom_mixer.control.moving.owning import Owning
from voiceroom_mixer.control.moving.waits import Chair
from voiceroom_mixer.control.readiness import Readiness
from voiceroom_mixer.control.rooms.facts import RoomFacts
from voiceroom_mixer.control.rooms.registry import Room
from voiceroom_mixer.control.rooms.service import Rooms
from voiceroom_mixer.core.state.seat import Part, pod_key
from voiceroom_mixer.edge import cgroup
from voiceroom_mixer.edge.shm import Segment

HOP_TOKEN_S: Final = 120
"""How long a token is good that this mixer shows to another."""


def open_desk(place: PodPlace) -> Desk:
    """With what the container before this one was told."""
    return Desk(Store(Path(place.state_dir)))


def as_assigned(config: RunConfig, desk: Desk) -> RunConfig:
    """``config`` with the rooms, limits and addresses of the assignment that is held."""
    held = desk.assignment
    if held is None:
        return config
    return replace(config, rooms=held.owned(), limits=held.limits, advertise=held.advertise)


class PodSide:
    """Between the operator and the rooms of this pod."""

    def __init__(
        self,
        config: RunConfig,
        desk: Desk,
        rooms: Rooms,
        facts: RoomFacts,
        readiness: Readiness,
        segments: Sequence[Segment],
        numbers: Numbers,
        keys: Callable[[], KeySet],
        journal: Journal,
        *,
        now_ns: Callable[[], int],
        wall_ns: Callable[[], int],
    ) -> None:
        """Raises ``ConfigError`` when the pool's TLS files cannot be used."""
        assert config.pod is not None
        self._place, self._rooms, self._facts = config.pod, rooms, facts
        self._keys, self._wall_ns = keys, wall_ns
        self._seats: dict[str, Seat] = {}
        self.desk = desk
        self.trust = Trust(pool_files(self._place), self._place.tls_name)
        self.status = self._make_status(config, readiness, segments, now_ns)
        readiness.refused = self.status.refused
        self.forwarder = Forwarder(
            desk, self._place.name, self.trust, self._token, numbers, self._given
        )
        self.handover = self._make_handover(config, journal)
        self.announce = Announce(self._place.boot_id, segments, keys)
        rooms.words.on_room = self.handover.word
        desk.apply = self._apply

    def _make_status(
        self,
        config: RunConfig,
        readiness: Readiness,
        segments: Sequence[Segment],
        now_ns: Callable[[], int],
    ) -> PodStatus:
        return PodStatus(
            place=self._place,
            ask=config.realtime or RealtimeAsk(),
            desk=self.desk,
            load=self._rooms,
            readiness=readiness,
            segments=segments,
            budget=cgroup.read_budget,
            cpus=_cpus_of_the_pod,
            now_ns=now_ns,
            held=self.held,
            seats=lambda: self.handover.seats(),
            relays=self._rooms.standing.relayed,
            judgement=lambda: judgement(segments, now_ns(), self._wall_ns()),
        )

    async def start(self) -> None:
        """Inside the running loop: what was assigned is carried out."""
        await self.forwarder.start()
        await self.handover.channel.start()
        if self.desk.assignment is not None:
            # control may have died between keeping the assignment and carrying it out
            self._apply(self.desk.assignment)
        self.look()

    async def stop(self) -> None:
        """Ends what is passed on, and what is followed."""
        await self.forwarder.stop()
        await self.handover.stop()

    def held(self) -> dict[str, str]:
        """By room: the field that changes when the people have gone."""
        return self._rooms.assigning.held

    def _apply(self, wanted: Assignment) -> None:
        self._facts.replace(seat.room for seat in wanted.seats)
        self._seats = {seat.name: seat for seat in wanted.seats}
        chairs = self._chairs(wanted)
        self.handover.apply(chairs)
        self.handover.disclaim(self._seats)
        taken = {chair.room["name"] for chair in chairs}
        owned = [
            room for room in wanted.owned() if room["name"] not in taken and not self._is_gone(room)
        ]
        self._rooms.assign(owned, wanted.limits, wanted.advertise, self._has_moved, self._stays)
        self.look()

    def _chairs(self, wanted: Assignment) -> list[Chair]:
        return [self._chair(seat) for seat in wanted.seats if self._is_for_others(seat)]

    def look(self, _now_ns: int = 0) -> None:
        """Once a second, and after each assignment: keys and peers for media, and rooms whose
        owner has become known."""
        held = self.desk.assignment
        if held is not None:
            self.handover.apply(self._chairs(held))
            self.announce.weights(held.weights)
        self.announce.look(held.peers if held else ())
        self.handover.look_again(self._rooms.house.clock.now_ns())
        self.announce.beats(self.handover.owning.listeners(), held.peers if held else ())

    def _is_for_others(self, seat: Seat) -> bool:
        """Stand by; or own what is known here already, which is the same until it is begun."""
        if seat.role != "owner":
            return True
        uid = seat.room.get("uid", "")
        return self.handover.waits_for(seat.name, uid) and not self._is_gone(seat.room)

    def _is_gone(self, room: RoomEntry) -> bool:
        uid, epoch = room.get("uid", ""), room.get("epoch", 0)
        return self.handover.has_given_away(room["name"], uid, epoch)

    def _stays(self, name: str) -> bool:
        """It is mixed here, and the operator's word is of before."""
        seat = self._seats.get(name)
        return seat is not None and self.handover.owns(name, seat.room.get("epoch", 0) - 1)

    def _chair(self, seat: Seat) -> Chair:
        epoch = seat.room.get("epoch", 0)
        part: Part = "twin" if seat.role == "twin" else "successor"
        place = self.desk.place(seat.name)
        address = seat.address
        if not address and place is not None and place.pod != self._place.name:
            address = place.address
        owner_epoch = epoch if part == "twin" else epoch - 1
        forced = seat.role == "owner" and not address
        return Chair(seat.room, part, address, owner_epoch, seat.move, forced)

    def _make_handover(self, config: RunConfig, journal: Journal) -> Handover:
        house, standing = self._rooms.house, self._rooms.standing
        links = house.registry.links
        feeds = Feeds(journal, house.revoked, lambda: sum(link.revision for link in links))
        owning = Owning(house, standing, feeds)
        owning.wanted_twin = self._twin_of
        return Handover(
            house,
            standing,
            feeds,
            owning,
            journal,
            self._place.name,
            Channel(self.trust, self._token),
            lambda link: f"{_own_host(config.udp.host)}:{link.udp_port}",
            self._process_of,
            _own_address(config),
        )

    def _given(self, room: str) -> Place | None:
        pod, address, epoch = self.handover.owning.places.get(room, ("", "", 0))
        return Place(pod, address, epoch) if address else None

    def _twin_of(self, room: str) -> str:
        seat = self._seats.get(room)
        return seat.other if seat is not None and seat.role == "owner" else ""

    def hello(self, room: Room) -> dict[str, Any]:
        """The first line of a feed."""
        return {
            "pod": self._process_of(room.link),
            "epoch": room.state.seat.epoch,
            "uid": room.state.extra.get("uid", ""),
            "media": self.handover.media_of(room.link),
        }

    def _process_of(self, link: MediaLink) -> str:
        return pod_key(self._place.boot_id, link.index)

    def _has_moved(self, room: str) -> bool:
        place = self.desk.place(room)
        return place is not None and place.pod != self._place.name

    def _token(self) -> str:
        return sign(
            self._keys(),
            sub=self._place.name,
            room="pool",
            role="admin",
            now_s=self._wall_ns() / NS_PER_S,
            ttl_s=HOP_TOKEN_S,
        )


def _own_address(config: RunConfig) -> str:
    assert config.admin is not None
    return f"{_own_host(config.admin.host)}:{config.admin.port}"


def _own_host(host: str) -> str:
    """Of a listener, as other mixers reach it; empty = as they see us."""
    if host in ("0.0.0.0", "::", ""):
        return ""
    return f"[{host}]" if ":" in host else host


def _cpus_of_the_pod() -> int:
    """By the keeper, which is never pinned."""
    return len(os.sched_getaffinity(os.getppid()))
