"""The event journal in shared memory: a restarted control process resumes where it stood.

Row ``id % rows`` of the segment's table ``events`` holds event ``id``; the header word
``next_event_id`` tells the next one. A row is written before the word is advanced, so an id is
never told to anybody before it can be resumed from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from voiceroom_mixer.edge.shm import Segment

AHEAD: Final = 256
"""Ids that the pod before us may have given after its last word to us."""
RESET: Final = "reset"
"""Told in place of what is no longer (or was never) in the journal: look at the room again."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a room; ``id`` 0 = not journalled, cannot be resumed from."""

    id: int
    room: str
    type: str
    data: dict[str, Any]

    def to_sse(self) -> bytes:
        """As a server-sent event (WHATWG HTML §9.2.6)."""
        body = json.dumps(self.data, separators=(",", ":"))
        head = f"id: {self.id}\n" if self.id else ""
        return f"{head}event: {self.type}\ndata: {body}\n\n".encode()


class _Inherited(NamedTuple):
    """How a room's readers come from another pod's ids to ours."""

    ours: int
    """The first id that is ours."""
    next_id: int
    tail: tuple[Event, ...]


class Journal:
    """The last ``rows`` events of all rooms of this pod; read from memory, written through."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._table = segment.tables["events"]
        if segment.word("next_event_id") == 0:
            segment.set_word("next_event_id", 1)
        self._kept: list[Event | None] = [None] * self._table.rows
        for event_id in range(self._oldest(), self.next_id):
            row = event_id % self._table.rows
            self._kept[row] = _decode(self._table.read(row), event_id)
        self._inherited: dict[str, _Inherited] = {}
        self.oversized = 0
        """Events too long for a row: a resuming reader is told ``reset`` in their place."""

    @property
    def next_id(self) -> int:
        """The id that the next event gets."""
        return self._segment.word("next_event_id")

    def _oldest(self) -> int:
        return max(1, self.next_id - self._table.rows)

    def append(self, room: str, event_type: str, data: dict[str, Any]) -> Event:
        """Number the event and keep it."""
        event = Event(self.next_id, room, event_type, data)
        row = event.id % self._table.rows
        self._kept[row] = self._write(row, event)
        self._segment.set_word("next_event_id", event.id + 1)
        return event

    def _write(self, row: int, event: Event) -> Event:
        blob = _encode(event)
        if len(blob) > self._table.max_bytes:
            self.oversized += 1
            event = Event(event.id, event.room, RESET, {})
            blob = _encode(event)
        self._table.write(row, blob)
        return event

    def tail(self, room: str, most: int) -> list[Event]:
        """The room's newest events, oldest first."""
        found: list[Event] = []
        for event_id in range(self.next_id - 1, self._oldest() - 1, -1):
            event = self._kept[event_id % self._table.rows]
            if event is not None and event.room == room and event.id == event_id:
                found.append(event)
                if len(found) == most:
                    break
        return found[::-1]

    def inherit(self, room: str, next_id: int, tail: list[Event]) -> None:
        """Another pod has run the room so far: its readers resume here from the ids that it gave,
        all of which were below ``next_id`` or will be below ours from now on."""
        start, ours = self.next_id, max(self.next_id, next_id + AHEAD)
        for event_id in range(max(start, ours - self._table.rows), ours):
            self._kept[event_id % self._table.rows] = Event(event_id, "", RESET, {})
        self._segment.set_word("next_event_id", ours)
        self._inherited[room] = _Inherited(ours, next_id, tuple(tail))

    def forget(self, room: str) -> None:
        """The room is elsewhere, or gone."""
        self._inherited.pop(room, None)

    def _from_before(self, room: str, last_id: int) -> list[Event] | None:
        """What the pod before us would have told a reader from ``last_id`` on, and then we; None:
        ``last_id`` is one of ours."""
        before = self._inherited.get(room)
        if before is None or not 0 <= last_id < before.ours:
            return None
        missed = [event for event in before.tail if event.id > last_id]
        oldest = before.tail[0].id if before.tail else before.next_id
        if last_id + 1 < oldest:
            return [self.reset(room)]
        return missed + self._own(room, before.ours - 1)

    def reset(self, room: str) -> Event:
        """What a reader is told that must look at the room again; it resumes from here."""
        return Event(self.next_id - 1, room, RESET, {})

    def since(self, room: str, last_id: int) -> list[Event]:
        """The room's events after ``last_id``; only a ``reset`` when some of them are lost, or
        ``last_id`` was never given out."""
        from_before = self._from_before(room, last_id)
        return self._own(room, last_id) if from_before is None else from_before

    def _own(self, room: str, last_id: int) -> list[Event]:
        oldest = self._oldest()
        lost = last_id + 1 < oldest or last_id >= self.next_id
        events: list[Event] = []
        for event_id in range(max(last_id + 1, oldest), self.next_id):
            event = self._kept[event_id % self._table.rows]
            if event is None or (event.room == room and event.type == RESET):
                lost = True
            elif event.room == room:
                events.append(event)
        return [self.reset(room)] if lost else events


def _encode(event: Event) -> bytes:
    value = {"i": event.id, "r": event.room, "t": event.type, "d": event.data}
    return json.dumps(value, separators=(",", ":")).encode()


def _decode(row: bytes | None, event_id: int) -> Event | None:
    """None for a row that is torn or holds another event: its writer was killed in the middle."""
    if row is None:
        return None
    value = json.loads(row)  # the row's checksum held, so it is what we wrote
    return Event(event_id, value["r"], value["t"], value["d"]) if value["i"] == event_id else None
