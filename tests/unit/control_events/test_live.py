"""Levels ten times a second, timing once: one event for all legs, none for nobody."""

from __future__ import annotations

import json
from typing import Any

from fakes.door import segment
from fakes.service import FakeRooms
from voiceroom_mixer.control.events.bus import EventBus, Subscriber
from voiceroom_mixer.control.events.journal import Journal
from voiceroom_mixer.control.events.live import LiveFigures


class Bench:
    """A bus, a house, and a reader of ``lobby``."""

    def __init__(self) -> None:
        self.bus = EventBus(Journal(segment()))
        self.house = FakeRooms()
        self.asked = 0
        self.level = 0
        self.live = LiveFigures(self.bus, self.house, self._timing, lambda: self.level)

    def _timing(self) -> dict[str, Any]:
        self.asked += 1
        return {"late": 1}

    def watch(self) -> Subscriber:
        return self.bus.subscribe("lobby", lambda: None)


def told(reader: Subscriber) -> dict[str, Any]:
    """What waits, by type."""
    blocks = reader.take().decode().strip().split("\n\n")
    pairs = (block.split("\ndata: ") for block in blocks if block)
    return {head.removeprefix("event: "): json.loads(data) for head, data in pairs}


def test_one_event_tells_the_levels_of_all_legs() -> None:
    bench = Bench()
    reader = bench.watch()
    loud, quiet = bench.house.add("lobby", "a"), bench.house.add("lobby", "b")
    loud.level, loud.talking = -20, True
    bench.live.tell(0)
    assert told(reader) == {
        "levels": {"levels": {"a": -20}, "talking": ["a"]},
        "timing": {"late": 1},
    }
    quiet.level = -50
    bench.live.tell(0)
    assert told(reader) == {"levels": {"levels": {"a": -20, "b": -50}, "talking": ["a"]}}


def test_levels_that_stay_as_they_are_are_not_told_again() -> None:
    bench = Bench()
    reader = bench.watch()
    bench.house.add("lobby", "a").level = -30
    bench.live.tell(0)
    told(reader)
    bench.live.tell(0)
    assert told(reader) == {}


def test_timing_is_told_every_tenth_round_to_those_who_watch() -> None:
    bench = Bench()
    for _ in range(20):
        bench.live.tell(0)
    assert bench.asked == 0
    reader = bench.watch()
    kinds = []
    for _ in range(20):
        bench.live.tell(0)
        kinds += [kind for kind in told(reader) if kind == "timing"]
    assert kinds == ["timing", "timing"]


def test_a_change_of_the_mixer_s_level_is_told_at_once() -> None:
    bench = Bench()
    reader = bench.watch()
    bench.live.tell(0)
    told(reader)
    kinds = []
    for number in range(6):
        bench.level = number // 3
        bench.live.tell(0)
        kinds.append("timing" in told(reader))
    assert kinds == [False, False, False, True, False, False]


def test_a_room_that_has_gone_is_passed_over() -> None:
    bench = Bench()
    reader = bench.watch()
    del bench.house.rooms["lobby"]
    bench.live.tell(0)
    assert told(reader) == {}
