"""Subscribers: bounded, apart from each other, resumed by id."""

from __future__ import annotations

import pytest

from fakes.door import segment
from voiceroom_mixer.control.events import bus as bus_module
from voiceroom_mixer.control.events.bus import EventBus, Subscriber
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.service import ApiError


class Reader:
    """A subscriber that notes whether it was cut off."""

    def __init__(self, bus: EventBus, room: str = "lobby", last_id: int | None = None) -> None:
        self.cut = 0
        self.subscriber: Subscriber = bus.subscribe(room, self._on_cut, last_id)

    def _on_cut(self) -> None:
        self.cut += 1

    def types(self) -> list[str]:
        """The types of the events that wait."""
        lines = self.subscriber.take().decode().splitlines()
        return [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]


def make_bus(queue: int = 3) -> EventBus:
    return EventBus(Journal(segment()), queue_events=queue)


def test_every_reader_of_the_room_gets_the_event() -> None:
    bus = make_bus()
    first, second, other = Reader(bus), Reader(bus), Reader(bus, "hall")
    bus.publish("lobby", "joined", {})
    assert (first.types(), second.types(), other.types()) == (["joined"], ["joined"], [])
    assert (bus.published, bus.dropped) == (1, 0)


def test_a_full_queue_cuts_its_reader_off_once_and_nobody_else() -> None:
    bus = make_bus(queue=3)
    slow, quick = Reader(bus), Reader(bus)
    for _ in range(6):
        bus.publish("lobby", "talking", {})
        assert quick.types() == ["talking"]
    assert (slow.cut, quick.cut) == (1, 0)
    assert slow.subscriber.ended
    assert (bus.dropped, bus.cut_off) == (4, 1)
    resumed = Reader(bus, last_id=bus.newest_id() - 2)
    assert resumed.types() == ["talking", "talking"]


def test_of_live_figures_only_the_newest_waits_and_none_cuts_off() -> None:
    bus = make_bus(queue=1)
    reader = Reader(bus)
    for number in range(10):
        bus.show("lobby", "levels", {"n": number})
    bus.show("lobby", "timing", {})
    raw = reader.subscriber.take()
    assert raw == b'event: levels\ndata: {"n":9}\n\nevent: timing\ndata: {}\n\n'
    assert reader.cut == 0
    assert bus.newest_id() == 0


def test_more_missed_events_than_a_queue_holds_are_a_reset() -> None:
    bus = make_bus(queue=3)
    for _ in range(5):
        bus.publish("lobby", "talking", {})
    assert Reader(bus, last_id=2).types() == ["talking"] * 3
    assert Reader(bus, last_id=1).types() == ["reset"]


def test_unsubscribing_twice_is_harmless_and_empties_the_room() -> None:
    bus = make_bus()
    reader = Reader(bus)
    assert bus.watched_rooms() == ("lobby",)
    bus.unsubscribe(reader.subscriber)
    bus.unsubscribe(reader.subscriber)
    assert (bus.watched_rooms(), bus.subscribers()) == ((), 0)


def test_readers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bus_module, "MAX_SUBSCRIBERS", 2)
    bus = make_bus()
    readers = [Reader(bus), Reader(bus, "hall")]
    with pytest.raises(ApiError) as refused:
        Reader(bus)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "5")
    bus.unsubscribe(readers[0].subscriber)
    Reader(bus)
