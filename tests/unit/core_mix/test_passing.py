"""The loudest sender's packets as they came: who gets them, when, and what happens at the edges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.rooms import Room, person, strength, talking_room
from fakes.sources import ScriptedSource, tone
from voiceroom_mixer.core.mix.passing import MAX_BYTES, MAX_WAITING_SLOTS, Passage
from voiceroom_mixer.core.mix.result import TickResult
from voiceroom_mixer.core.mix.room_mixer import MixConfig
from voiceroom_mixer.core.receive.source import PacketOut

PASSING = MixConfig(dtx=False, frame_samples=1920, talkers=1, passthrough=True)
MIXING = MixConfig(dtx=False, frame_samples=1920, talkers=1)


class PassableSource(ScriptedSource):
    """A sender whose packets of 20 ms are there in time; ``packets`` are those passed on."""

    passable = True
    broken = False

    def __init__(self, hz: float, level: int) -> None:
        super().__init__(tone(hz, 0.1)._sound, level=level)
        self.packets: list[bytes] = []

    def pass_on(self, samples: int) -> list[PacketOut]:
        """The packets of the time that passes."""
        if self.broken:
            raise RuntimeError("as a bug would")
        found = []
        for _ in range(samples // 960):
            found.append(PacketOut(f"{self.level}/{self.at}".encode(), 960))
            self.at += 960
        self.packets += [packet.payload for packet in found]
        return found


def passing_room() -> tuple[Room, PassableSource, PassableSource]:
    """Slots 0 (loud) and 1 talk, 2 and 3 listen; nothing has been mixed."""
    room = Room(PASSING)
    loud, soft = PassableSource(440.0, 20), PassableSource(880.0, 30)
    person(room, 0, loud)
    person(room, 1, soft)
    person(room, 2)
    person(room, 3)
    return room, loud, soft


def tick(room: Room) -> TickResult:
    """One frame, in which a listener may get several packets."""
    return room.mixer.tick(lambda: False)


def payloads(result: TickResult, slot: int) -> list[tuple[int, bytes | None]]:
    """(ahead, payload) for a listener."""
    return [(o.ahead, o.payload) for o in result.outputs if slot in o.slots.tolist()]


def test_everybody_but_himself_gets_the_loudest_one_s_packets_as_they_are() -> None:
    room, loud, soft = passing_room()
    result = tick(room)
    assert payloads(result, 2) == [(0, loud.packets[0]), (2, loud.packets[1])]
    assert payloads(result, 1) == payloads(result, 3) == payloads(result, 2)
    assert payloads(result, 0) == [(0, None)]
    assert (result.talkers, result.passed, result.encodes) == ((0,), 2, 0)
    assert (loud.pulls, soft.pulls, soft.packets) == (0, 0, [])
    assert soft.at == loud.at == 1920


def test_who_has_muted_him_hears_nothing_and_who_made_him_softer_hears_him() -> None:
    room, loud, _ = passing_room()
    person(room, 2, hears={0: 0.0})
    person(room, 3, hears={0: 0.1})
    result = tick(room)
    assert payloads(result, 2) == [(0, None)]
    assert [payload for _, payload in payloads(result, 3)] == loud.packets


def test_the_next_talker_follows_and_is_marked() -> None:
    room, loud, soft = passing_room()
    assert [output.resumed for output in tick(room).outputs if output.payload] == [True, False]
    assert not any(output.resumed for output in tick(room).outputs)
    loud.level, loud.active = 127, False
    for _ in range(12):
        result = tick(room)
    assert result.talkers == (1,)
    assert [payload for _, payload in payloads(result, 0)] == soft.packets[-2:]


def test_what_is_not_sent_on_is_counted() -> None:
    room, loud, soft = passing_room()
    soft.active = False
    loud.pass_on = lambda samples: [PacketOut(b"x", 960)] * 9  # type: ignore[method-assign]
    results = [tick(room) for _ in range(3)]
    assert [(result.passed, result.dropped) for result in results] == [(2, 3), (2, 7), (2, 7)]


def test_when_nobody_sounds_it_is_silent() -> None:
    room, loud, soft = passing_room()
    loud.active = soft.active = False
    result = tick(room)
    assert [output.payload for output in result.outputs] == [None]
    assert sorted(result.outputs[0].slots.tolist()) == [0, 1, 2, 3]


def test_a_gap_of_his_is_left_to_the_listeners_for_a_while() -> None:
    room, loud, soft = passing_room()
    soft.active = False
    tick(room)
    loud.pass_on = lambda samples: []  # type: ignore[method-assign]
    assert [payloads(tick(room), 2) for _ in range(6)] == [[]] * 4 + [[(0, None)]] * 2


@pytest.mark.parametrize("why", ["no level", "a gain", "short packets"])
def test_a_room_where_that_cannot_be_is_mixed(why: str) -> None:
    room, loud, _ = passing_room()
    if why == "a gain":
        room.mixer.set_source(0, loud, participant="p0", gain_db=-6.0, muted=False)
    loud.must_decode, loud.passable = why == "no level", why != "short packets"
    room.run(3)
    assert loud.packets == []
    assert room.encoders
    assert loud.pulls == 3


def test_a_sender_that_breaks_is_taken_out() -> None:
    room, loud, _ = passing_room()
    loud.broken = True
    assert tick(room).faults == (0,)
    assert tick(room).talkers == (1,)


def test_from_mixing_to_passing_and_back_nothing_is_lost_and_sound_fades_in() -> None:
    room, loud, _ = passing_room()
    room.mixer.configure(MIXING)
    room.run(5)
    at = loud.at
    room.mixer.configure(PASSING)
    for _ in range(5):
        tick(room)
    assert loud.at == at + 5 * 1920
    room.mixer.configure(MIXING)
    room.heard.clear()
    room.run(4)
    sound = room.sound(2)
    assert float(np.abs(sound[:100]).max()) < 0.02
    assert strength(sound[-1920:], 440.0) == pytest.approx(0.1, rel=0.05)
    assert room.encoders[0].independent[5], "the listeners' decoders come from another encoder"


def test_events_say_who_talks_while_packets_are_passed_on() -> None:
    room, _, _ = passing_room()
    events = [event for _ in range(5) for event in tick(room).events]
    assert {(event.slot, event.on) for event in events} == {(0, True), (1, True)}


def test_a_room_of_scripted_senders_knows_no_packets() -> None:
    room = talking_room(2, 1, PASSING)
    assert room.run(2).encodes > 0


def frames(passage: Passage, lengths: list[list[int]], slots: int) -> Iterator[list[int]]:
    """Packets of these lengths a frame; positions of those placed, from the first frame on."""
    for number, some in enumerate(lengths):
        packets = [PacketOut(b"x", 480 * length) for length in some]
        yield [number * slots + one.ahead for one in passage.frame(0, packets, slots)]


def test_packets_longer_than_the_frame_keep_their_pace() -> None:
    lengths = [[6], [], [6], [6], [], [6], [6]]
    placed = [at for some in frames(Passage(), lengths, 4) for at in some]
    assert placed == [0, 8, 14, 20, 26], "one gap, as the second came late; then none"


@given(
    st.lists(st.lists(st.sampled_from((1, 2, 4, 6, 12)), max_size=6), max_size=40),
    st.sampled_from((1, 2, 4)),
)
def test_no_two_packets_ever_overlap_and_what_waits_is_bounded(
    lengths: list[list[int]], slots: int
) -> None:
    passage, end, sent = Passage(), 0, 0
    for number, some in enumerate(lengths):
        packets = [PacketOut(bytes((length,)), 480 * length) for length in some]
        for one in passage.frame(0, packets, slots):
            at = number * slots + one.ahead
            assert 0 <= one.ahead < slots
            assert at >= end
            end, sent = at + one.payload[0], sent + 1
        assert passage._waiting_slots <= MAX_WAITING_SLOTS
    waiting = len(passage._waiting)
    assert sent + passage.dropped + waiting == sum(map(len, lengths))


def test_a_packet_that_fits_no_datagram_is_dropped() -> None:
    passage = Passage()
    assert passage.frame(0, [PacketOut(bytes(MAX_BYTES + 1), 960)], 2) == []
    assert passage.dropped == 1


def test_another_sender_s_packets_do_not_wait_behind() -> None:
    passage = Passage()
    passage.frame(0, [PacketOut(b"a", 1920)] * 3, 4)
    assert [one.payload for one in passage.frame(1, [PacketOut(b"b", 1920)], 4)] == [b"b"]
