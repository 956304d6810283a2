"""One fault at a time, told when it begins and when it ends, over restarts of control."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest

from fakes.door import segment
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.chaos.desk import ChaosDesk
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.control.service import ApiError
from voiceroom_mixer.core.chaos import Injection
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment

STEP = {"kind": "step", "for": "60s", "offsetMs": 50}
WALL_NS = 1_800_000_000 * NS_PER_S


@dataclass
class World:
    """A control process over two media processes."""

    segments: list[Segment] = field(default_factory=lambda: [segment(), segment()])
    told: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    true_ns: int = 1_000 * NS_PER_S

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """The process, or the one after it."""
        self.numbers = Numbers()
        self.desk = ChaosDesk(
            self.segments,
            self.numbers,
            publish=lambda room, kind, data: self.told.append((room, kind, data)),
            rooms=lambda: ["lobby", "hall"],
            true_ns=lambda: self.true_ns,
            wall_ns=lambda: WALL_NS,
        )

    def orders(self) -> list[Injection | None]:
        """As the media processes read them."""
        rows = [one.tables["control"].read(layout.CONTROL_CHAOS) for one in self.segments]
        return [Injection.from_bytes(row) if row else None for row in rows]

    def number(self, name: str, *labels: str) -> float:
        return self.numbers.values(f"voiceroom_chaos_{name}")[labels]


@pytest.fixture
def world() -> World:
    return World()


def test_an_order_reaches_every_media_process_with_its_deadline(world: World) -> None:
    said = world.desk.start(STEP, "ana")
    first, second = world.orders()
    assert first is not None
    assert first == second
    assert first.until_ns == world.true_ns + 60 * NS_PER_S
    active = said["active"]
    assert (active["kind"], active["clock"], active["offsetMs"]) == ("step", "monotonic", 50)
    assert (active["by"], active["leftMs"]) == ("ana", 60_000)
    assert active["until"] == "2027-01-15T08:01:00Z"


def test_it_is_counted_logged_and_told_in_every_room(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        world.desk.start(STEP, "ana")
    assert world.number("injections_total", "step") == 1
    assert world.number("injections_total", "freeze") == 0
    assert world.number("active") == 1
    (record,) = caplog.records
    assert (record.message, vars(record)["by"]) == ("chaos: a fault is injected", "ana")
    assert [(room, kind, data["active"]) for room, kind, data in world.told] == [
        ("lobby", "chaos", True),
        ("hall", "chaos", True),
    ]


def test_a_second_one_waits(world: World) -> None:
    world.desk.start(STEP, "ana")
    world.true_ns += 20 * NS_PER_S
    with pytest.raises(ApiError, match=r"step of ana runs for another 40\.0 s") as refused:
        world.desk.start(STEP | {"kind": "saw"}, "bob")
    assert (refused.value.status, refused.value.code) == (409, "chaos_runs")
    world.true_ns += 40 * NS_PER_S
    assert world.desk.start(STEP | {"kind": "saw"}, "bob")["active"]["kind"] == "saw"


def test_the_deadline_is_told_once(world: World) -> None:
    world.desk.start(STEP, "ana")
    world.told.clear()
    for _ in range(70):
        world.true_ns += NS_PER_S
        world.desk.look()
    assert [data for room, _, data in world.told if room == "hall"] == [
        {"active": False, "id": world.told[0][2]["id"], "kind": "step", "why": "deadline"}
    ]
    assert world.number("active") == 0
    assert world.orders() == [None, None]
    assert world.desk.document()["active"] is None


def test_after_the_deadline_nothing_is_shown_though_nobody_has_looked(world: World) -> None:
    world.desk.start(STEP, "ana")
    world.true_ns += 60 * NS_PER_S
    assert world.desk.document()["active"] is None


def test_it_is_ended_by_whoever_asks(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.desk.start(STEP, "ana")
    with caplog.at_level(logging.WARNING):
        assert world.desk.end("bob")["active"] is None
    assert world.orders() == [None, None]
    assert vars(caplog.records[-1])["by"] == "bob"
    assert world.told[-1][2]["why"] == "asked"
    told = len(world.told)
    world.desk.end("bob")
    assert len(world.told) == told


def test_a_control_process_after_it_knows_it_and_ends_it(world: World) -> None:
    world.desk.start(STEP, "ana")
    world.start()
    world.desk.look()
    assert world.number("active") == 1
    assert world.desk.document()["active"]["by"] == "ana"
    with pytest.raises(ApiError, match="runs for another"):
        world.desk.start(STEP, "bob")
    world.true_ns += 61 * NS_PER_S
    world.start()
    world.desk.look()
    assert world.told[-1][2]["why"] == "deadline"
    assert world.orders() == [None, None]


def test_it_shows_what_each_media_process_says_of_its_time(world: World) -> None:
    said = json.dumps({"verdict": "step-one"}).encode()
    world.segments[1].tables["reports"].write(layout.REPORT_TIMING, said)
    assert world.desk.document()["verdicts"] == [None, "step-one"]
