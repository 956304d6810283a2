"""From whoever publishes to everyone who listens: bounded for each reader, never waiting for one.

An event of the journal goes to a subscriber's queue; a reader that lets it overflow is cut off
and counted, and resumes by id when it comes back. Live figures (``levels``, ``timing``) have no
id: only the newest of a kind waits for a slow reader.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from voiceroom_mixer.control.events.journal import Event, Journal
from voiceroom_mixer.control.service import ApiError

QUEUE_EVENTS: Final = 256
MAX_SUBSCRIBERS: Final = 10_000
LAST_EVENT: Final = "closed"
"""After it a room has no more events: its streams end."""


class Subscriber:
    """One reader of one room's events."""

    def __init__(self, room: str, on_cut: Callable[[], None], limit: int = QUEUE_EVENTS) -> None:
        self.room = room
        self._on_cut = on_cut
        self._limit = limit
        self._queue: deque[bytes] = deque()
        self._live: dict[str, bytes] = {}
        self._wake = asyncio.Event()
        self.ended = False

    def offer(self, event_bytes: bytes) -> int:
        """Queue an event. When the queue is full the reader is cut off; how many it then lost."""
        if self.ended:
            return 0
        if len(self._queue) >= self._limit:
            lost = len(self._queue) + 1
            self._queue.clear()
            self.end()
            self._on_cut()
            return lost
        self._queue.append(event_bytes)
        self._wake.set()
        return 0

    def show(self, kind: str, event_bytes: bytes) -> None:
        """Offer a live figure; it replaces one of its kind that has not been read."""
        if not self.ended:
            self._live[kind] = event_bytes
            self._wake.set()

    def end(self) -> None:
        """No more after what is queued."""
        self.ended = True
        self._wake.set()

    async def wait(self) -> None:
        """Until there is something to read, or the end has come."""
        await self._wake.wait()

    def take(self) -> bytes:
        """All that waits, in one piece."""
        self._wake.clear()
        taken = b"".join((*self._queue, *self._live.values()))
        self._queue.clear()
        self._live.clear()
        return taken


class EventBus:
    """Numbers, keeps and hands out the events of all rooms. Lives on the event loop."""

    def __init__(self, journal: Journal, *, queue_events: int = QUEUE_EVENTS) -> None:
        self._journal = journal
        self._queue_events = queue_events
        self._subscribers: dict[str, set[Subscriber]] = {}
        self.published = 0
        self.dropped = 0
        """Events not delivered because their reader was slow."""
        self.cut_off = 0
        """Readers cut off for being slow."""

    def publish(self, room: str, event_type: str, data: dict[str, Any]) -> None:
        """An event of ``room``: journalled, numbered, and on its way to every reader."""
        event = self._journal.append(room, event_type, data)
        self.published += 1
        raw = event.to_sse()
        for subscriber in tuple(self._subscribers.get(room, ())):
            lost = subscriber.offer(raw)
            self.dropped += lost
            self.cut_off += lost > 0
            if event_type == LAST_EVENT:
                subscriber.end()

    def show(self, room: str, kind: str, data: dict[str, Any]) -> None:
        """A live figure: no id, no journal, only the newest counts."""
        raw = Event(0, room, kind, data).to_sse()
        for subscriber in tuple(self._subscribers.get(room, ())):
            subscriber.show(kind, raw)

    @property
    def journal(self) -> Journal:
        """Where events are kept."""
        return self._journal

    def newest_id(self) -> int:
        """The id of the last event; 0 before the first."""
        return self._journal.next_id - 1

    def since(self, room: str, last_id: int) -> list[Event]:
        """What ``room`` has had after ``last_id``, or a ``reset``."""
        return self._journal.since(room, last_id)

    def subscribe(
        self, room: str, on_cut: Callable[[], None], last_id: int | None = None
    ) -> Subscriber:
        """A reader from now on, or from after ``last_id``. Raises ``ApiError`` 503."""
        if self.subscribers() >= MAX_SUBSCRIBERS:
            message = "too many event streams are open: try again later"
            raise ApiError(503, "too_many_streams", message, headers={"Retry-After": "5"})
        subscriber = Subscriber(room, on_cut, self._queue_events)
        if last_id is not None:
            self._replay(subscriber, last_id)
        self._subscribers.setdefault(room, set()).add(subscriber)
        return subscriber

    def _replay(self, subscriber: Subscriber, last_id: int) -> None:
        missed = self.since(subscriber.room, last_id)
        if len(missed) > self._queue_events:
            missed = [self._journal.reset(subscriber.room)]
        for event in missed:
            subscriber.offer(event.to_sse())

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Forget a reader; more than once is harmless."""
        readers = self._subscribers.get(subscriber.room)
        if readers is not None:
            readers.discard(subscriber)
            if not readers:
                del self._subscribers[subscriber.room]

    def subscribers(self) -> int:
        """Open readers of all rooms."""
        return sum(map(len, self._subscribers.values()))

    def watched_rooms(self) -> tuple[str, ...]:
        """Rooms that somebody reads."""
        return tuple(self._subscribers)

    def end_all(self) -> None:
        """Let every stream end: the process is about to."""
        for readers in self._subscribers.values():
            for subscriber in readers:
                subscriber.end()
