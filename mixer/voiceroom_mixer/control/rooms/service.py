"""``RoomService`` for HTTP: one thin face on joining, changing, leaving, and looking.

``build_service`` takes over what a killed control has left in the segments (rooms, legs, locks,
refused tokens), so that HTTP may answer at once; ``start`` begins to read the media processes and
loads WebRTC in the background, for which joins wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Literal

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.config import Limits, RoomEntry, RunConfig
from voiceroom_mixer.control.auth import roles
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.moving.standing import Standing
from voiceroom_mixer.control.periodic import Periodic
from voiceroom_mixer.control.rooms import views
from voiceroom_mixer.control.rooms.assigning import Assigning
from voiceroom_mixer.control.rooms.changes import Changes
from voiceroom_mixer.control.rooms.context import ControlClock, Entropy, Publish, system_entropy
from voiceroom_mixer.control.rooms.house import House
from voiceroom_mixer.control.rooms.joining import Joining
from voiceroom_mixer.control.rooms.leaving import Leaving
from voiceroom_mixer.control.rooms.legs import LegBook
from voiceroom_mixer.control.rooms.reaper import Reaper
from voiceroom_mixer.control.rooms.reconnects import Reconnects
from voiceroom_mixer.control.rooms.recovery import recover
from voiceroom_mixer.control.rooms.registry import Registry, Room
from voiceroom_mixer.control.rooms.restarting import Restarting
from voiceroom_mixer.control.rooms.revoked import RevokedTokens
from voiceroom_mixer.control.rooms.rtp_legs import RtpLegs
from voiceroom_mixer.control.rooms.words import MediaWords
from voiceroom_mixer.control.service import Claims, Joined
from voiceroom_mixer.control.signalling.candidates import Advertised, advertised
from voiceroom_mixer.control.signalling.pacing import HandshakePacer
from voiceroom_mixer.control.signalling.webrtc import LazyWebRtc
from voiceroom_mixer.core.state.messages import Kind, Message

RECONCILE_NS: Final = NS_PER_S
TickFigures = Callable[[int], dict[str, Any]]
"""Figures of the recent ticks of media process ``i``, for ``GET /rooms/{room}``."""


def build_service(
    config: RunConfig,
    links: Sequence[MediaLink],
    publish: Publish,
    clock: ControlClock,
    *,
    entropy: Entropy = system_entropy,
    tick_figures: TickFigures = lambda _: {},
) -> Rooms:
    """The service over ``links`` (``links[i].index == i``, one for each media process), with what
    a predecessor left behind already taken over.

    Raises ``ValueError`` when there is no media process, or no place for all rooms.
    """
    reconnects = Reconnects()

    def told(room: str, kind: str, data: dict[str, Any]) -> None:
        if kind == "move":
            reconnects.asked(room, clock.now_ns())
        publish(room, kind, data)

    registry = Registry(links)
    book = LegBook(registry, clock, entropy)
    revoked = RevokedTokens(links[0].segment.tables["revoked"])
    house = House(
        registry=registry,
        book=book,
        leaving=Leaving(registry, book, revoked, publish, clock),
        revoked=revoked,
        publish=told,
        clock=clock,
        entropy=entropy,
        reconnects=reconnects,
        advertised=_advertised(config, links),
        limit=config.limits.participants,
    )
    standing = Standing(registry)
    recover(registry, config, house.leaving, standing.rooms)
    return Rooms(config, house, standing, tick_figures)


def _advertised(config: RunConfig, links: Sequence[MediaLink]) -> list[Advertised]:
    return [advertised(config, link.udp_port, is_ipv6=link.is_ipv6) for link in links]


class Rooms:
    """Implements ``RoomService``; plus what the composition root needs."""

    def __init__(
        self, config: RunConfig, house: House, standing: Standing, tick_figures: TickFigures
    ) -> None:
        self._config = config
        self.standing = standing
        self._house = house
        self._registry = house.registry
        self._tick_figures = tick_figures
        self.pacer = HandshakePacer(house.clock.now_ns)
        self.webrtc = LazyWebRtc(self._registry.links[0].segment.tables["control"], self.pacer)
        self._joining = Joining(house, self.webrtc, self.pacer)
        self._restarting = Restarting(house)
        self._rtp = RtpLegs(house, config.rtp_allow)
        self._changes = Changes(house)
        self.assigning = Assigning(house)
        self.words = MediaWords(self._registry, house.leaving, house.publish)
        self.reaper = Reaper(house, self.words)
        self._periodic = Periodic(RECONCILE_NS, self._look, house.clock.now_ns)
        self._task: asyncio.Task[None] | None = None

    @property
    def house(self) -> House:
        """What all the doers share."""
        return self._house

    # life

    async def start(self) -> None:
        """Read media's messages, look once a second, load WebRTC in the background."""
        for link in self._registry.links:
            link.start(self.words)
        self._task = asyncio.create_task(self._periodic.run(), name="reconcile")
        self.webrtc.load()

    async def stop(self) -> None:
        """Stop looking; rooms and legs stay in the segments for the next control process."""
        self._periodic.stop()
        for link in self._registry.links:
            link.stop()
        if self._task is not None:
            await self._task
        await self.webrtc.settle()

    def _look(self, now_ns: int) -> None:
        self.reaper.look(now_ns)
        self.assigning.look(now_ns)

    def assign(
        self,
        rooms: Sequence[RoomEntry],
        limits: Limits,
        advertise: tuple[str, ...],
        has_moved: Callable[[str], bool],
        stays: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """What the operator wants of this pod; see ``Assigning.apply``. New addresses are for new
        legs and for ICE restarts."""
        self._house.limit = limits.participants
        told = replace(self._config, advertise=advertise)
        self._house.advertised = _advertised(told, self._registry.links)
        self.assigning.apply(rooms, has_moved, stays)

    def begin_drain(self) -> None:
        """Refuse joins from now on (503 ``draining``); media is told in its segment."""
        self._registry.draining = True
        for link in self._registry.links:
            link.segment.set_word("draining", 1)

    async def say_goodbye(self, timeout_s: float = 2.0) -> bool:
        """The end: event ``closed`` in every room, close_notify and RTCP BYE on every leg.

        Waits until all media processes have said so, at most ``timeout_s``; whether they have.
        """
        for room in self._registry.rooms.values():
            self._house.publish(room.name, "closed", {})
        for leg in self._registry.legs():
            if leg.handshake is not None:
                leg.handshake.close()
        for link in self._registry.links:
            link.send(Message(Kind.BYE_ALL, 0, 0))
        return await self.words.all_said_bye(len(self._registry.links), timeout_s)

    def leg_count(self) -> int:
        """Legs in all rooms, those too that are only relayed; 0 ends a drain."""
        return self._registry.leg_count() + self.standing.relayed()

    def participant_counts(self) -> dict[str, int]:
        """People by room."""
        return {name: room.participants() for name, room in self._registry.rooms.items()}

    def leg_counts(self) -> dict[str, int]:
        """Legs by room; one that is being replaced counts as well."""
        return {name: len(room.legs) for name, room in self._registry.rooms.items()}

    def frame_ms(self, process: int) -> int | None:
        """The shortest frame of the rooms on that media process; None = it has no room."""
        rooms = self._registry.rooms.values()
        frames = (room.state.frame_ms for room in rooms if room.link.index == process)
        return min(frames, default=None)

    def counters(self) -> dict[str, int]:
        """Everything that was counted here and in the links, by name."""
        total = sum((link.counters for link in self._registry.links), self._registry.counters)
        total["joins_refused_busy"] = self.pacer.refused
        total["dtls_queue_full"] = self.pacer.overflowed
        total["revoked_evicted"] = self._house.revoked.evicted
        total["periodic_faults"] = self._periodic.faults
        return dict(total)

    def take_handshake_seconds(self) -> list[float]:
        """How long the DTLS handshakes since the last call took, from the first record to keys."""
        taken = [took_ns / NS_PER_S for took_ns in self.pacer.took_ns]
        self.pacer.took_ns.clear()
        return taken

    def expected_tasks(self) -> int:
        """asyncio tasks that belong to rooms and legs right now."""
        sessions = sum(leg.handshake.tasks() for leg in self._registry.legs() if leg.handshake)
        return sessions + (self._task is not None and not self._task.done())

    # RoomService

    async def join(
        self,
        room: str,
        claims: Claims,
        offer: str,
        *,
        mode: Literal["whip", "whep"],
        replaces: str | None,
        name: str = "",
    ) -> Joined:
        """See ``Joining.join``."""
        found = self._registry.room(room)
        return await self._joining.join(
            found, claims, offer, mode=mode, replaces=replaces, name=name
        )

    async def patch_ice(
        self, room: str, leg: str, sdpfrag: str, if_match: str | None
    ) -> Joined | None:
        """See ``Restarting.patch``."""
        return self._restarting.patch(self._registry.leg(room, leg), sdpfrag, if_match)

    async def add_rtp_leg(
        self, room: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """See ``RtpLegs.add``."""
        return self._rtp.add(self._registry.room(room), claims, body)

    async def patch_leg(
        self, room: str, leg: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """See ``Changes.patch_leg``."""
        return self._changes.patch_leg(self._registry.leg(room, leg), claims, body)

    async def remove_leg(self, room: str, leg: str, claims: Claims) -> None:
        """Leave with the own token, kick with another."""
        found = self._registry.leg(room, leg)
        own = found.made_by(claims)
        roles.require(claims, "delete_leg", room, own_leg=own)
        if own:
            self._house.leaving.leave(found, "left")
        else:
            self._house.leaving.kick(found, claims)

    async def remove_all(self, room: str, claims: Claims) -> int:
        """Kick everybody."""
        roles.require(claims, "kick_all", room)
        return self._house.leaving.kick_all(self._registry.room(room), claims)

    async def patch_room(
        self, room: str, claims: Claims, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """See ``Changes.patch_room``."""
        roles.require(claims, "patch_room", room)
        return self._changes.patch_room(self._registry.room(room), body)

    def leg_token_owner(self, room: str, leg: str) -> str:
        """The jti that made the leg."""
        return self._registry.leg(room, leg).state.jti

    def room_exists(self, room: str) -> bool:
        """Whether this process runs the room, and not just for the last few moments."""
        return room in self._registry.rooms and room not in self._registry.frozen

    def rooms_json(self) -> list[dict[str, Any]]:
        """GET /rooms."""
        return [views.summary(room) for room in self._registry.rooms.values()]

    def room_json(self, room: str) -> dict[str, Any]:
        """GET /rooms/{room}."""
        found = self._registry.room(room)
        return views.room_json(found, self._ticks(found))

    def debug_json(self, room: str) -> dict[str, Any]:
        """Everything per leg."""
        found = self._registry.room(room)
        return views.debug_json(found, self._ticks(found))

    def levels(self, room: str) -> dict[str, tuple[int, bool]]:
        """By leg id: (dBov, talking)."""
        each = ((leg.id, leg.figures()) for leg in self._registry.room(room).legs.values())
        return {leg: (-figures.level, figures.talking) for leg, figures in each}

    def holds_leg(self, room: str, jti: str) -> bool:
        """Whether that token made a leg that is in the room now."""
        return any(leg.state.jti == jti for leg in self._registry.room(room).legs.values())

    def is_revoked(self, jti: str) -> bool:
        """Kicked tokens."""
        return jti in self._house.revoked

    def _ticks(self, room: Room) -> dict[str, Any]:
        return self._tick_figures(room.link.index)
