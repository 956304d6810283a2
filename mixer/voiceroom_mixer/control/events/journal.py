"""The event journal in shared memory: a restarted control process resumes where it stood.

Row ``id % rows`` of the segment's table ``events`` holds event ``id``; the header word
``next_event_id`` tells the next one. A row is written before the word is advanced, so an id is
never told to anybody before it can be resumed from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from voiceroom_mixer.edge.shm import Segment

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

    def reset(self, room: str) -> Event:
        """What a reader is told that must look at the room again; it resumes from here."""
        return Event(self.next_id - 1, room, RESET, {})

    def since(self, room: str, last_id: int) -> list[Event]:
        """The room's events after ``last_id``; only a ``reset`` when some of them are lost, or
        ``last_id`` was never given out."""
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
