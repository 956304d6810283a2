"""The rooms of a tick: frames follow each other without a hole whatever the ladder does."""

from __future__ import annotations

import itertools
import socket
import struct
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import pytest

from fakes.mansion import ROOM, Mansion, rtp_leg
from voiceroom_api.units import NS_PER_MS
from voiceroom_mixer.codec.pcm import PcmEncoder
from voiceroom_mixer.core.defend.measures import LEVELS
from voiceroom_mixer.core.defend.urgency import Weights
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.result import MixOutput, TickResult
from voiceroom_mixer.core.state.layout import CONTROL_WEIGHTS
from voiceroom_mixer.core.timing.histogram import histograms
from voiceroom_mixer.core.timing.schedule import Schedule
from voiceroom_mixer.media.delays import Delays
from voiceroom_mixer.media.mixing import DEFEND_AT_ONCE, SELDOM, Mixing
from voiceroom_mixer.media.moving.moves import Turn
from voiceroom_mixer.media.rooms import MediaRoom

FOREVER_NS = 1 << 62


@dataclass
class Wire:
    """Egress and moves: what a room sends, as (slot, frame_ms)."""

    frames: list[tuple[int, int]] = field(default_factory=list)
    mixed: list[int] = field(default_factory=list)
    """Slots of the rooms in the order of their turns."""

    stamps = False

    def mix(self, _output: MixOutput, slot: int, frame_ms: int, *, dtx: bool, times: bytes) -> None:
        assert not times
        self.frames.append((slot, frame_ms))
        assert dtx

    def turn(self, _room: MediaRoom, _slot: int) -> Turn:
        return Turn.MIX

    def relay(self, _output: MixOutput, _slot: int, room: MediaRoom) -> None:
        self.mixed.append(room.state.slot)


class Desk:
    """A mixing in a mansion, on a schedule in virtual time."""

    def __init__(self, mansion: Mansion, wire: Wire | None = None) -> None:
        self.mansion, self.wire = mansion, wire or Wire()
        wired = cast(Any, self.wire)
        self.schedule = Schedule(0, -1)
        self.mixing = Mixing(
            mansion.segment,
            mansion.board,
            mansion.house,
            wired,
            wired,
            Delays(histograms(mansion.segment.counters), lambda ns: ns, self._look),
            say=mansion.said.append,
            frames_changed=self._use_frames,
            monotonic=self._monotonic,
        )
        self._now_ns = self.took_ns = 0

    def _look(self) -> int:
        """It costs nothing."""
        return self._now_ns

    def _monotonic(self) -> int:
        """Each look at the clock takes ``took_ns``: so long takes a room."""
        self._now_ns += self.took_ns
        return self._now_ns

    def _use_frames(self) -> None:
        self.schedule.use_frames(room.frame_ms for room in self.mansion.house.rooms.values())

    def ticks(self, count: int, late_ms: int = 0) -> None:
        for _ in range(count):
            self._now_ns = self.schedule.next_deadline_ns + late_ms * NS_PER_MS
            plan = self.schedule.due(self._now_ns)
            assert plan is not None
            self.mixing.run(plan, FOREVER_NS)

    def tick_with_owed(self, late_ms: int) -> None:
        """One tick, as the loop runs it where there is time enough."""
        plan = self.schedule.due(self.schedule.next_deadline_ns + late_ms * NS_PER_MS)
        assert plan is not None
        self._now_ns = plan.deadline_ns
        for part in plan.parts(self.schedule.step_ns, 9):
            self.mixing.run(part, FOREVER_NS)

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


def test_what_is_owed_fills_a_short_hole_and_the_end_of_a_long_one(desk: Desk) -> None:
    desk.ticks(3)
    desk.tick_with_owed(50)
    desk.ticks(2)
    assert set(holes(desk.wire.frames)) == {0}
    desk.tick_with_owed(210)
    desk.ticks(2)
    slots = [slot for slot, _ in desk.wire.frames]
    assert sorted(set(holes(desk.wire.frames))) == [0, 16], "of 200 ms it owes the newest 40"
    assert slots == sorted(set(slots))


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


@pytest.fixture
def street(mansion: Mansion) -> Desk:
    """Rooms in the slots 1 to 3 with frames of 20, 40 and 20 ms, and a listener in each."""
    for slot, frame_ms in ((1, 20), (2, 40), (3, 20)):
        state = replace(ROOM, room=f"room-{slot}", slot=slot, frame_ms=frame_ms)
        mansion.segment.tables["rooms"].write(slot, state.to_bytes())
        mansion.put(rtp_leg(slot, 6_000 + slot, room=state.room, room_slot=slot))
    return Desk(mansion)


def order_of(desk: Desk, late_ms: int = 0) -> list[int]:
    """Rooms in the order of their turns in the next tick."""
    desk.wire.mixed.clear()
    desk.ticks(1, late_ms)
    return list(desk.wire.mixed)


def test_rooms_that_are_due_at_once_keep_their_order(street: Desk) -> None:
    street.ticks(1)
    assert [order_of(street) for _ in range(3)] == [[1, 3], [1, 2, 3], [1, 3]]
    assert street.mansion.counted("rooms_expired") == 0


def test_who_has_waited_longer_is_mixed_first(street: Desk) -> None:
    street.mixing.weights = Weights(deadline_ns=40 * NS_PER_MS)
    street.ticks(2)
    assert order_of(street, late_ms=25) == [2, 1, 3], "the one of 40 ms was due 20 ms earlier"


def test_who_has_expired_is_mixed_last_and_counted(street: Desk) -> None:
    street.ticks(2)
    assert order_of(street, late_ms=25) == [1, 3, 2]
    assert street.mansion.counted("rooms_expired") == 1


def test_who_came_too_late_is_the_first_among_equals_in_the_next_tick(street: Desk) -> None:
    street.ticks(1)
    street.took_ns = 6 * NS_PER_MS
    assert order_of(street) == [1, 3]
    assert street.mansion.counted("rooms_expired") == 1, "the second of two rooms of 6 ms"
    assert order_of(street) == [3, 1, 2]
    street.took_ns = 0
    assert order_of(street)[0] in (1, 2)
    assert order_of(street) == [1, 2, 3]


def test_the_pool_s_weights_are_taken_up_within_a_second(street: Desk) -> None:
    weights = Weights(alpha=0.5, deadline_ns=2 * NS_PER_MS)
    street.mansion.segment.tables["control"].write(CONTROL_WEIGHTS, weights.to_bytes())
    street.ticks(51)
    assert street.mixing.weights == weights
    street.ticks(2, late_ms=3)
    assert street.mansion.counted("rooms_expired") == 5


def test_packets_that_are_sent_on_get_the_time_of_the_grid(
    mansion: Mansion, peer: socket.socket
) -> None:
    leg = mansion.put(rtp_leg(port=peer.getsockname()[1], rtp_epoch=0))
    desk, room = Desk(mansion), mansion.house.rooms[0]
    slots = np.array([leg.slot], np.int32)
    outputs = [
        MixOutput(slots, b"first", (), True),
        MixOutput(slots, b"second", (), False, ahead=2),
    ]
    room.mixer.tick = lambda *_: TickResult(outputs=outputs)  # type: ignore[method-assign]
    desk.mixing._egress = mansion.egress
    desk.ticks(2)
    mansion.egress.flush()
    heads = [struct.unpack("!BBHII", peer.recv(2048)[:12]) for _ in range(4)]
    stamps = [stamp for _, _, _, stamp, _ in heads]
    assert stamps == [0, 960, 960, 1_920]
    numbers = [number - heads[0][2] for _, _, number, _, _ in heads]
    assert numbers == [0, 1, 2, 3]
    assert [second >> 7 for _, second, _, _, _ in heads] == [1, 0, 1, 0]


@dataclass
class Asked(Wire):
    """Notes for which rooms a turn is asked."""

    slots: list[int] = field(default_factory=list)

    def turn(self, room: MediaRoom, slot: int) -> Turn:
        self.slots.append(room.state.slot)
        return super().turn(room, slot)


def test_the_turn_of_an_empty_room_is_asked_seldom(mansion: Mansion) -> None:
    mansion.put(rtp_leg())
    rooms = mansion.house.rooms
    for slot in range(1, 11):
        rooms[slot] = MediaRoom(replace(ROOM, slot=slot), PcmEncoder, PcmPool())
    rooms[7].restless = True
    wire = Asked()
    desk = Desk(mansion, wire)
    desk.ticks(2 * SELDOM)
    times = [wire.slots.count(slot) for slot in range(11)]
    assert times == [2 * SELDOM, *([2] * 6), 2 * SELDOM, *([2] * 3)]


def test_an_empty_room_of_long_frames_has_its_turn_as_well(mansion: Mansion) -> None:
    mansion.put(rtp_leg())
    state = replace(ROOM, slot=3, frame_ms=40)
    mansion.house.rooms[3] = MediaRoom(state, PcmEncoder, PcmPool())
    wire = Asked()
    Desk(mansion, wire).ticks(2 * SELDOM)
    assert wire.slots.count(3) == 1
