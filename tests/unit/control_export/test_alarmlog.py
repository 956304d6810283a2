"""What stands in the log when the node's probe has told media of a wait for a CPU."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from fakes.door import segment
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control import logs
from voiceroom_mixer.control.export.alarmlog import EVERY_NS, FIELDS, AlarmLog, last_ticks
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.edge.shm import Segment


def tick(memory: Segment, count: int, late_us: int = 40) -> None:
    """So many ticks of 20 ms more, as media writes them."""
    for _ in range(count):
        number = int(memory.counters[stats.INDEX["ticks"]]) + 1
        memory.counters[stats.INDEX["ticks"]] = number
        row = (2 * number, late_us * 1_000, 900_000, 0, 3, 1, 3, 5)
        memory.ticks[number % layout.TICK_RING] = row


def alarm(memory: Segment, count: int = 1) -> None:
    memory.counters[stats.INDEX["scheduling_alarms"]] += count


class Log:
    """The lines that were written, as JSON."""

    def __init__(self, stream: io.StringIO) -> None:
        self._stream = stream

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    root = logging.getLogger("voiceroom_mixer.control.export.alarmlog")
    stream, before = io.StringIO(), root.handlers[:]
    logs.configure("json", lambda: 0, stream, root)
    yield Log(stream)
    root.handlers[:] = before


def test_the_last_two_seconds_stand_in_one_line(log: Log) -> None:
    calm, told = segment(), segment()
    looking = AlarmLog([calm, told])
    tick(told, 500)
    looking.look(0)
    assert log.lines() == []
    tick(told, 1, late_us=700)
    tick(told, 20)
    alarm(told)
    looking.look(NS_PER_S)
    (line,) = log.lines()
    assert (line["level"], line["media"], line["alarms"]) == ("warning", 1, 1)
    assert line["fields"] == list(FIELDS)
    ticks = line["ticks"]
    assert isinstance(ticks, list)
    assert len(ticks) == 100
    assert ticks[0] == [2 * 422, 40, 900, 0, 5]
    assert ticks[-21] == [2 * 501, 700, 900, 0, 5], "the wait"
    assert ticks[-1] == [2 * 521, 40, 900, 0, 5]


def test_a_probe_that_tells_every_second_fills_no_log(log: Log) -> None:
    memory = segment()
    looking = AlarmLog([memory])
    for second in range(61):
        tick(memory, 50)
        alarm(memory)
        looking.look(second * NS_PER_S)
    assert [line["alarms"] for line in log.lines()] == [1, 30, 30]


def test_what_came_while_it_was_silent_is_not_told_when_its_ticks_are_gone(log: Log) -> None:
    memory = segment()
    looking = AlarmLog([memory])
    for at_ns in (0, NS_PER_S):
        alarm(memory)
        looking.look(at_ns)
    looking.look(EVERY_NS)
    assert len(log.lines()) == 1
    alarm(memory)
    looking.look(EVERY_NS + NS_PER_S)
    assert [line["alarms"] for line in log.lines()] == [1, 2]


def test_a_control_process_that_starts_anew_tells_no_old_alarms(log: Log) -> None:
    memory = segment()
    alarm(memory, 7)
    AlarmLog([memory]).look(0)
    assert log.lines() == []


def test_the_ring_goes_round_and_the_order_is_that_of_time() -> None:
    memory = segment()
    assert last_ticks(memory) == []
    tick(memory, layout.TICK_RING + 10)
    slots = [row[0] for row in last_ticks(memory)]
    assert slots == sorted(slots)
    assert slots[-1] == 2 * (layout.TICK_RING + 10)
