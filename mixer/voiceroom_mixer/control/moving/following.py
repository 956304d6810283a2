"""A twin's or a successor's side of a feed: reads it, and keeps the standing room equal to it."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from voiceroom_mixer.control.moving.standing import Standing
from voiceroom_mixer.control.rooms.registry import Room
from voiceroom_mixer.core.state.legstate import LegState, StateError
from voiceroom_mixer.core.state.marks import Mark

AGAIN_S: Final = (0.1, 0.3, 1.0)
SILENCE_S: Final = 3.0
"""A feed says something twice a second."""
STILL_S: Final = 15.0
"""And of a room in which nobody is every five."""
AT_ONCE: Final = 8
"""Legs written between two breaths, so that media adopts a big room over many ticks."""
BREATH_S: Final = 0.02
MAX_LINE: Final = 1 << 20
_FIELDS: Final = [name for name in Mark._fields if name != "generation"]
_log = logging.getLogger(__name__)


class FeedError(ValueError):
    """A line that is none of a feed."""


@dataclass(eq=False)
class Following:
    """One room that is followed; it ends by ``stop``."""

    room: Room
    owner: str
    """``HOST:PORT`` of the owner's admin listener."""
    standing: Standing
    on_hello: Callable[[Room, Mapping[str, Any], str], None]
    on_revoked: Callable[[str, int], None]
    version: int = -1
    """Of the state that is here; -1 = none yet, or the feed is broken."""
    was_whole: bool = False
    """It was all here once; an owner that does not speak any more is gone on from that."""
    marked: set[str] = field(default_factory=set)
    """Legs whose streams are known."""
    events: dict[str, Any] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    def start(self, connect: Callable[[Following], Awaitable[None]]) -> None:
        """Read until ``stop``, again and again."""
        self.task = asyncio.create_task(self._run(connect), name="following")

    async def _run(self, connect: Callable[[Following], Awaitable[None]]) -> None:
        tries = 0
        while True:
            try:
                await connect(self)
                tries = 0
            except (aiohttp.ClientError, TimeoutError, FeedError, StateError) as error:
                _log.info("feed", extra={"room": self.room.name, "error": str(error)})
            self.version = -1
            await _pause(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1

    async def read(self, content: aiohttp.StreamReader) -> None:
        """All lines of one connection. Raises ``FeedError``, ``StateError``."""
        told: set[str] = set()
        buffer = b""
        while chunk := await self._next(content):
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                await self._take(_parsed(line), told)
            if len(buffer) > MAX_LINE * 8:
                raise FeedError("a line without end")

    async def _next(self, content: aiohttp.StreamReader) -> bytes:
        """Empty at the end. Raises ``TimeoutError`` where the owner says nothing for too long."""
        async with asyncio.timeout(SILENCE_S if self.room.legs else STILL_S):
            return await content.readany()

    async def _take(self, line: Mapping[str, Any], told: set[str]) -> None:
        match line:
            case {"hello": dict(hello)}:
                self.on_hello(self.room, hello, self.owner)
            case {"room": {"muteAll": bool(muted), "locked": bool(locked), "epoch": int(epoch)}}:
                self.standing.change(self.room, mute_all=muted, locked=locked)
                self.standing.heard_epoch(self.room, epoch)
            case {"set": [*states]}:
                await self._set(states, told)
            case {"gone": [*gone]}:
                for leg in gone:
                    self.standing.drop(self.room, str(leg))
                    told.discard(str(leg))
            case {"marks": [*marks]}:
                for values in marks:
                    self._mark(values)
            case {"events": dict(events)}:
                self.events = events
            case {"revoked": [*revoked]}:
                for digest, expires_s in revoked:
                    self.on_revoked(str(digest), int(expires_s))
            case {"version": int(version)}:
                self._forget_all_but(told)
                self.version = version

    async def _set(self, states: list[Any], told: set[str]) -> None:
        for number, value in enumerate(states, 1):
            state = LegState.from_value(value)
            self.standing.put(self.room, state)
            told.add(state.leg)
            if number % AT_ONCE == 0:
                await _pause(BREATH_S)

    def _forget_all_but(self, told: set[str]) -> None:
        """What an earlier connection told and this one does not has gone in between."""
        for leg in self.room.legs.keys() - told:
            self.standing.drop(self.room, leg)

    def _mark(self, values: list[Any]) -> None:
        if len(values) != len(_FIELDS) + 2:
            raise FeedError("a mark of another version")
        leg, talking, *rest = values
        fields = dict(zip(_FIELDS, rest, strict=True))
        fields["ip"] = _packed(fields["ip"])
        self.standing.mark(self.room, str(leg), fields | {"talking": talking})
        self.marked.add(str(leg))

    @property
    def is_whole(self) -> bool:
        """All that the owner has said is here."""
        return self.version >= 0 and self.room.legs.keys() <= self.marked

    def note(self) -> None:
        """Remember if it was all here once."""
        self.was_whole = self.was_whole or self.is_whole

    def stop(self) -> None:
        """No more."""
        if self.task is not None:
            self.task.cancel()
            self.task = None


async def _pause(seconds: float) -> None:
    """Let others have their turn; no deadline hangs on it."""
    await asyncio.sleep(seconds)


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise FeedError("a line that is not JSON") from error
    if not isinstance(value, dict):
        raise FeedError("a line that is no object")
    return value


def _packed(text: str) -> bytes:
    if not text:
        return bytes(16)
    address = ipaddress.ip_address(text)
    return address.packed if address.version == 6 else bytes(10) + b"\xff\xff" + address.packed
