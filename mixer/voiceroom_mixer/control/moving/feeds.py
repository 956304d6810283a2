"""The owner's side of a feed: what a twin or a successor must know of a room, as lines of JSON.

    {"hello": {"pod", "epoch", "uid", "media"}}         once; ``media`` is HOST:PORT, no HOST: where
                                                       this connection goes to
    {"room": {"muteAll", "locked", "epoch"}}
    {"set": [LegState, ...]}, {"gone": [leg id, ...]}
    {"marks": [[leg id, talking, *fields of Mark], ...]}   twice a second, and every five seconds
                                                       of a room in which nobody is
    {"events": {"next": id, "tail": [[id, type, data], ...]}}
    {"revoked": [[digest, exp], ...]}
    {"version": n}                                      behind each change of the first three

It is level-triggered: a line says how things are now, and what a slow reader has missed is not
told.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.rooms.registry import Leg, Room
from voiceroom_mixer.control.rooms.revoked import RevokedTokens
from voiceroom_mixer.core.moving.epochs import ssrc_of
from voiceroom_mixer.core.state.legstate import LegState

PUMP_NS: Final = 20 * NS_PER_MS
MARKS_NS: Final = 500 * NS_PER_MS
STILL_NS: Final = 5_000 * NS_PER_MS
"""The same of a room in which nobody is: they only say that the connection stands."""
TAIL: Final = 64
"""Events that a reader may still resume from at the next pod."""
MAX_FEEDS: Final = 4096


@dataclass(frozen=True, slots=True)
class Follower:
    """Who reads a feed."""

    pod: str
    part: str
    media: str
    """``IP:PORT`` of the media process that would mix the room."""
    candidates: tuple[tuple[str, int], ...]
    """Where clients reach that."""
    admin: str = ""
    """``HOST:PORT`` of its admin listener."""
    process: str = ""
    """That media process in datagrams, hex; empty = it does not say."""


@dataclass(eq=False)
class Feed:
    """One reader of one room."""

    room: Room
    follower: Follower
    version: int = 0
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    closed: bool = False
    is_read: Callable[[], bool] = lambda: True
    """Whether the reader's connection stands."""
    _told: dict[str, LegState] = field(default_factory=dict)
    _told_room: dict[str, Any] = field(default_factory=dict)
    _told_events: int = -1
    _told_revoked: set[bytes] = field(default_factory=set)
    _marks_ns: int = 0

    def state(self) -> Iterator[bytes]:
        """Lines about what has changed, ended by the version."""
        before = self.version
        for line in (*self._room_line(), *self._leg_lines()):
            self.version = before + 1
            yield line
        if self.version != before:
            yield _line(version=self.version)

    def _room_line(self) -> Iterator[bytes]:
        state = self.room.state
        epoch = state.seat.epoch
        now = {"muteAll": state.mute_all, "locked": state.locked, "epoch": epoch}
        if now != self._told_room:
            self._told_room = now
            yield _line(room=now)

    def _leg_lines(self) -> Iterator[bytes]:
        legs, told = self.room.legs, self._told
        new = [leg.state for leg in legs.values() if told.get(leg.id) is not leg.state]
        gone = [leg for leg in told if leg not in legs]
        for leg in gone:
            del told[leg]
        if gone:
            yield _line(gone=gone)
        for state in new:
            told[state.leg] = state
        for start in range(0, len(new), TAIL):
            some = b",".join(state.to_bytes() for state in new[start : start + TAIL])
            yield b'{"set":[' + some + b"]}\n"

    def figures(self, now_ns: int, journal: Journal, revoked: RevokedTokens) -> Iterator[bytes]:
        """Lines about what is always on the move."""
        if self.marks_are_due(now_ns):
            self._marks_ns = now_ns
            yield _line(marks=[mark(leg) for leg in self.room.legs.values()])
        if journal.next_id != self._told_events:
            self._told_events = journal.next_id
            tail = [[e.id, e.type, e.data] for e in journal.tail(self.room.name, TAIL)]
            yield _line(events={"next": journal.next_id, "tail": tail})
        fresh = {d: exp for d, exp in revoked.entries() if d not in self._told_revoked}
        if fresh:
            self._told_revoked.update(fresh)
            yield _line(revoked=[[d.hex(), exp] for d, exp in fresh.items()])

    def marks_are_due(self, now_ns: int) -> bool:
        """Where streams stand is to be told again."""
        return now_ns - self._marks_ns >= (MARKS_NS if self.room.legs else STILL_NS)

    def behind(self, version: int) -> bool:
        """Whether the reader, who has that version, misses anything."""
        states = [leg.state for leg in self.room.legs.values()]
        told = self._told
        same = len(states) == len(told) and all(told.get(s.leg) is s for s in states)
        return not same or version != self.version


def mark(leg: Leg) -> list[Any]:
    """``[leg id, talking, *Mark but its generation]``; the address as text."""
    columns, slot = leg.link.segment.columns, leg.state.slot
    figures = leg.figures()
    if not figures.adopted:
        return [leg.id, False, 0, 0, 0, 0, -1, 0, 0, 0, "", 0]
    heard = bool(columns["heard"][slot]) or bool(columns["rx_ssrc"][slot])
    ip, port = _address(leg, figures.address)
    return [
        leg.id,
        figures.talking,
        int(columns["tx_ssrc"][slot]) or ssrc_of(leg.state.ssrc, 0),
        int(columns["tx_bound"][slot]),
        int(columns["srtcp_bound"][slot]),
        int(columns["rx_ssrc"][slot]),
        int(columns["rx_index"][slot]) if heard else -1,
        int(columns["rx_srtcp"][slot]),
        int(columns["target_us"][slot]),
        int(columns["skew_ppb"][slot]),
        ip,
        port,
    ]


def _address(leg: Leg, seen: tuple[str, int] | None) -> tuple[str, int]:
    """Where another pod finds the client: a gateway at the address that it has given. The one that
    it is seen at here may be of this node's own making (``House.enliven``, nf_conntrack)."""
    state = leg.state
    if state.kind == "rtp" and state.remote_port:
        return state.remote_ip, state.remote_port
    return seen or ("", 0)


def _line(**value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


hello = _line


class Feeds:
    """All readers of this pod's rooms."""

    def __init__(
        self, journal: Journal, revoked: RevokedTokens, revision: Callable[[], int]
    ) -> None:
        self._journal, self._revoked, self._revision = journal, revoked, revision
        self._by_room: dict[str, dict[str, Feed]] = {}
        self._seen = -1

    def open(self, room: Room, follower: Follower) -> Feed | None:
        """A new reader, in place of an older one of the same pod; None when there are too many."""
        if sum(map(len, self._by_room.values())) >= MAX_FEEDS:
            return None
        readers = self._by_room.setdefault(room.name, {})
        if follower.pod in readers:
            self.close(readers[follower.pod])
        feed = Feed(room, follower)
        self._by_room.setdefault(room.name, {})[follower.pod] = feed
        feed.wake.set()
        return feed

    def close(self, feed: Feed) -> None:
        """It is over; more than once is harmless."""
        feed.closed = True
        feed.wake.set()
        readers = self._by_room.get(feed.room.name, {})
        if readers.get(feed.follower.pod) is feed:
            del readers[feed.follower.pod]
        if not readers:
            self._by_room.pop(feed.room.name, None)

    def close_room(self, room: str) -> None:
        """The room is not ours any more."""
        for feed in list(self._by_room.get(room, {}).values()):
            self.close(feed)

    def close_all(self) -> None:
        """The process is about to end."""
        for room in list(self._by_room):
            self.close_room(room)

    def of(self, room: str, pod: str) -> Feed | None:
        """A pod's feed of a room."""
        return self._by_room.get(room, {}).get(pod)

    def pump(self, now_ns: int) -> None:
        """Wake readers when a row has been written, and when marks are due."""
        revision = self._revision()
        changed, self._seen = revision != self._seen, revision
        for readers in self._by_room.values():
            for feed in readers.values():
                if changed or feed.marks_are_due(now_ns):
                    feed.wake.set()

    def news(self, feed: Feed, now_ns: int) -> bytes:
        """What a reader has not been told."""
        lines = (*feed.state(), *feed.figures(now_ns, self._journal, self._revoked))
        return b"".join(lines)
