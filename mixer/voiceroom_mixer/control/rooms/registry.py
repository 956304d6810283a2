"""The rooms and legs of this process, as control holds them; their truth is in the segments."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.figures import LegFigures
from voiceroom_mixer.control.link import MediaLink
from voiceroom_mixer.control.service import ApiError, Claims
from voiceroom_mixer.core.state.legstate import LegState, RoomState
from voiceroom_mixer.core.state.messages import Address

GHOST_NS: Final = 60 * NS_PER_S
"""A leg may come back (``replaces``) this long after it has gone."""
MAX_GHOSTS: Final = 4096


class Handshake(Protocol):
    """A leg's DTLS association, as far as rooms need it."""

    def feed(self, source: Address, datagram: bytes) -> None:
        """A DTLS datagram of this leg."""

    def nominate(self, address: Address) -> None:
        """ICE has chosen an address."""

    def close(self) -> None:
        """Say close_notify and let go; no callback comes after this."""

    def drop(self) -> None:
        """Let go without a word: the client goes on elsewhere."""

    def tasks(self) -> int:
        """asyncio tasks that it has now."""


@dataclass(slots=True, eq=False)
class Leg:
    """One leg: its published state, and what only this control process knows of it."""

    state: LegState
    room: Room
    link: MediaLink
    handshake: Handshake | None = None
    """None: plain RTP, or older than this control process."""
    talking: bool = False
    """As last told to clients."""
    connect_by_ns: int = 0
    """Keys must be there by then; 0 = they are, or none are needed."""
    previous_ice_until_ns: int = 0
    changed_over: bool = False
    """It has taken the place of the leg that it replaces."""

    @property
    def id(self) -> str:
        """The public id."""
        return self.state.leg

    def made_by(self, claims: Claims) -> bool:
        """Whether it is the token's own leg."""
        return bool(claims.jti) and self.state.jti == claims.jti

    def figures(self) -> LegFigures:
        """What media says of it."""
        return self.link.figures(self.state)


@dataclass(slots=True, eq=False)
class Room:
    """One room and its legs by id."""

    state: RoomState
    link: MediaLink
    legs: dict[str, Leg] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its path."""
        return self.state.room

    def legs_of(self, participant: str) -> list[Leg]:
        """One person's legs, oldest first."""
        return [leg for leg in self.legs.values() if leg.state.participant == participant]

    def participants(self) -> int:
        """People: a leg and its replacement count once."""
        return len({leg.state.participant for leg in self.legs.values()})


class Registry:
    """Rooms by name, legs by slot, and the legs that have just gone.

    ``counters``: ghosts_forgotten, stale_messages and what rooms count beside.
    """

    def __init__(self, links: Sequence[MediaLink]) -> None:
        if not links:
            raise ValueError("a mixer needs at least one media process")
        self.links = tuple(links)
        self.rooms: dict[str, Room] = {}
        self.draining = False
        self.frozen: set[str] = set()
        """Rooms that are about to change pods: nobody changes anything in them."""
        self.counters: Counter[str] = Counter()
        self._by_slot: dict[tuple[int, int], Leg] = {}
        self._ghosts: OrderedDict[str, tuple[LegState, int]] = OrderedDict()

    def room(self, name: str) -> Room:
        """Raises ``ApiError`` 404 ``no_room``."""
        room = self.rooms.get(name)
        if room is None:
            raise ApiError(404, "no_room", f"there is no room {name!r} here")
        return room

    def change_room(self, room: Room, *, mute_all: bool | None, locked: bool | None) -> None:
        """Publish a room's row with these switches; None leaves one as it is."""
        state = room.state
        room.state = replace(
            state,
            mute_all=state.mute_all if mute_all is None else mute_all,
            locked=state.locked if locked is None else locked,
        )
        room.link.write_room(room.state)

    def leg(self, room: str, leg: str) -> Leg:
        """Raises ``ApiError`` 404 ``no_room`` or ``no_leg``."""
        found = self.room(room).legs.get(leg)
        if found is None:
            raise ApiError(404, "no_leg", "this leg is not in the room (any more)")
        return found

    def at(self, link: MediaLink, slot: int, generation: int) -> Leg | None:
        """The leg that a message speaks of; None, counted, when that one has gone."""
        leg = self._by_slot.get((link.index, slot))
        if leg is not None and leg.state.generation == generation:
            return leg
        self.counters["stale_messages"] += 1
        return None

    def add(self, leg: Leg) -> None:
        """Take in a leg; its row is the caller's matter."""
        leg.room.legs[leg.id] = leg
        self._by_slot[leg.link.index, leg.state.slot] = leg

    def discard(self, leg: Leg) -> None:
        """Forget a leg; its row is the caller's matter."""
        leg.room.legs.pop(leg.id, None)
        self._by_slot.pop((leg.link.index, leg.state.slot), None)

    def forget_slot(self, leg: Leg) -> None:
        """The leg is still in its room, but no longer ours to look after."""
        self._by_slot.pop((leg.link.index, leg.state.slot), None)

    def legs(self) -> Iterator[Leg]:
        """All legs of all rooms; the registry may change while they are looked at."""
        return iter(list(self._by_slot.values()))

    def leg_count(self) -> int:
        """All legs of all rooms."""
        return len(self._by_slot)

    def participants(self) -> int:
        """People in all rooms."""
        return sum(room.participants() for room in self.rooms.values())

    def ssrcs(self) -> set[int]:
        """SSRCs in use by us."""
        return {leg.state.ssrc for leg in self._by_slot.values()}

    def remember(self, state: LegState, now_ns: int) -> None:
        """A leg has gone and may come back within 60 s."""
        self._ghosts[state.leg] = (state, now_ns)
        if len(self._ghosts) > MAX_GHOSTS:
            self._ghosts.popitem(last=False)
            self.counters["ghosts_forgotten"] += 1

    def ghost(self, leg: str, now_ns: int) -> LegState | None:
        """The state of a leg that went at most 60 s ago."""
        state, gone_ns = self._ghosts.get(leg, (None, 0))
        return state if now_ns - gone_ns <= GHOST_NS else None

    def forget(self, leg: str) -> None:
        """The leg has come back, or may not."""
        self._ghosts.pop(leg, None)

    def forget_participant(self, participant: str) -> None:
        """None of the person's legs may come back."""
        for leg, (state, _) in list(self._ghosts.items()):
            if state.participant == participant:
                del self._ghosts[leg]

    def forget_old(self, now_ns: int) -> None:
        """Drop the ghosts that are too old; they stand in order of their going."""
        while self._ghosts:
            leg, (_, gone_ns) = next(iter(self._ghosts.items()))
            if now_ns - gone_ns <= GHOST_NS:
                return
            del self._ghosts[leg]
