"""The rooms of a tick: frames follow each other without a hole whatever the ladder does."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from fakes.mansion import ROOM, Mansion, rtp_leg
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.codec.pcm import PcmEncoder
from voiceroom_mixer.core.defend.measures import LEVELS
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.result import MixOutput
from voiceroom_mixer.core.timing.schedule import Schedule
from voiceroom_mixer.media.mixing import DEFEND_AT_ONCE, Mixing
from voiceroom_mixer.media.moving.moves import Turn
from voiceroom_mixer.media.rooms import MediaRoom

FOREVER_NS = 1 << 62


@dataclass
class Wire:
    """Egress and moves: what a room sends, as (slot, frame_ms)."""

    frames: list[tuple[int, int]] = field(default_factory=list)

    def mix(self, _output: MixOutput, slot: int, frame_ms: int, *, dtx: bool) -> None:
        self.frames.append((slot, frame_ms))
        assert dtx

    def turn(self, _room: MediaRoom, _slot: int) -> Turn:
        return Turn.MIX

    def relay(self, output: MixOutput, slot: int, room: MediaRoom) -> None:
        """There is no other pod."""


class Desk:
    """A mixing in a mansion, on a schedule in virtual time."""

    def __init__(self, mansion: Mansion) -> None:
        self.mansion, self.wire = mansion, Wire()
        wire = cast(Any, self.wire)
        self.schedule = Schedule(0, -1)
        self.mixing = Mixing(
            mansion.segment,
            mansion.board,
            mansion.house,
            wire,
            wire,
            say=mansion.said.append,
            frames_changed=self._use_frames,
        )
        self._now_ns = 0

    def _use_frames(self) -> None:
        self.schedule.use_frames(room.frame_ms for room in self.mansion.house.rooms.values())

    def ticks(self, count: int, late_ms: int = 0) -> None:
        for _ in range(count):
            self._now_ns = self.schedule.next_deadline_ns + late_ms * NS_PER_MS
            plan = self.schedule.due(self._now_ns)
            assert plan is not None
            self.mixing.run(plan, FOREVER_NS)

    def level(self, level: int) -> None:
        self.mixing.measures = LEVELS[level]


@pytest.fixture
def desk(mansion: Mansion) -> Desk:
    mansion.put(rtp_leg())
    return Desk(mansion)


def holes(frames: list[tuple[int, int]]) -> list[int]:
    """Slots between the end of a frame and the beginning of the next; negative: they overlap."""
    return [
        at - (before + length // 10) for (before, length), (at, _) in itertools.pairwise(frames)
    ]


@pytest.mark.parametrize("begin", range(1, 5))
def test_frames_get_longer_and_shorter_without_a_hole(desk: Desk, begin: int) -> None:
    desk.ticks(begin)
    desk.level(3)
    desk.ticks(7)
    desk.level(2)
    desk.ticks(5)
    lengths = [length for _, length in desk.wire.frames]
    assert sorted(set(lengths)) == [20, 40]
    assert (lengths[0], lengths[-1]) == (20, 20)
    assert set(holes(desk.wire.frames)) == {0}
    assert all(slot % (length // 10) == 0 for slot, length in desk.wire.frames)


def test_ticks_that_come_late_leave_a_hole_and_never_an_overlap(desk: Desk) -> None:
    for number, late_ms in enumerate((0, 30, 0, 50, 70, 0, 130, 10, 0, 90)):
        desk.level(3 if number % 4 < 2 else 1)
        desk.ticks(1, late_ms)
        desk.ticks(1)
    assert min(holes(desk.wire.frames)) == 0
    assert {length for _, length in desk.wire.frames} == {20, 40}


def test_the_whole_process_ticks_slower_when_all_of_its_rooms_do(desk: Desk) -> None:
    desk.level(3)
    desk.ticks(4)
    assert desk.schedule.step_ns == 40 * NS_PER_MS
    desk.level(0)
    desk.ticks(2)
    assert desk.schedule.step_ns == 20 * NS_PER_MS


def test_a_step_costs_a_few_rooms_a_tick(desk: Desk) -> None:
    rooms = desk.mansion.house.rooms
    for slot in range(1, 3 * DEFEND_AT_ONCE):
        rooms[slot] = MediaRoom(replace(ROOM, slot=slot), PcmEncoder, PcmPool())
    desk.level(1)
    follow = []
    for _ in range(4):
        desk.ticks(1)
        follow.append(sum(room.measures is LEVELS[1] for room in rooms.values()))
    assert follow == [DEFEND_AT_ONCE, 2 * DEFEND_AT_ONCE, 3 * DEFEND_AT_ONCE, 3 * DEFEND_AT_ONCE]


def test_each_level_is_what_the_room_is_mixed_by() -> None:
    room = MediaRoom(replace(ROOM, talkers=0), PcmEncoder, PcmPool())
    seen = []
    for measures in LEVELS:
        room.defend(measures)
        room.reframe()
        config = room.mixer.config
        seen.append((config.complexity, config.talkers, config.shared, config.frame_ms))
        assert config.fec is measures.fec
        assert config.passthrough is measures.passthrough
    assert seen == [
        (4, 0, False, 20),
        (2, 0, False, 20),
        (2, 3, True, 20),
        (0, 3, True, 40),
        (0, 1, True, 40),
        (0, 1, True, 40),
    ]
    room.defend(LEVELS[0])
    room.reframe()
    assert room.mixer.config == MediaRoom(room.state, PcmEncoder, PcmPool()).mixer.config


def test_what_the_room_does_not_have_is_not_given_to_it() -> None:
    plain = replace(ROOM, talkers=2, fec=False, frame_ms=40)
    room = MediaRoom(plain, PcmEncoder, PcmPool())
    room.defend(LEVELS[2])
    assert (room.mixer.config.talkers, room.mixer.config.fec, room.next_frame_ms) == (2, False, 40)


def test_a_change_of_the_room_keeps_what_the_ladder_has_taken() -> None:
    room = MediaRoom(ROOM, PcmEncoder, PcmPool())
    room.defend(LEVELS[2])
    room.update(replace(ROOM, bitrate_kbps=64, talkers=8))
    assert (room.mixer.config.bitrate_kbps, room.mixer.config.talkers) == (64, 3)
