"""What a late tick leaves out, and what nobody hears of it."""

from __future__ import annotations

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.rooms import HZ, Room, biggest_step, in_time, person, steady_step, talking_room
from fakes.sources import cosine, tone
from voiceroom_mixer.core.mix.room_mixer import MixConfig


class Clock:
    """Says that it is late from the n-th question on."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_late_tick_is_made_of_fewer_talkers() -> None:
    room = talking_room(4, 1, MixConfig(talkers=0, dtx=False))
    room.run(10)
    result = room.tick(Clock(after=1))
    assert len(result.talkers) == 2
    assert result.cut == 2
    assert room.tick().cut == 0


def test_even_the_latest_tick_has_one_talker_and_nobody_s_time_stands_still() -> None:
    room = Room(MixConfig(talkers=0, dtx=False))
    sources = [tone(HZ[at], 0.1, level=20 + at) for at in range(4)]
    for slot, source in enumerate(sources):
        person(room, slot, source)
    for _ in range(10):
        result = room.tick(lambda: True)
        assert (len(result.talkers), result.cut) == (1, 3)
    assert {source.at for source in sources} == {9_600}


def test_lateness_lets_every_sender_without_levels_be_heard_in_turn() -> None:
    room = Room(MixConfig(talkers=0, dtx=False))
    sources = [tone(HZ[at], 0.0, must_decode=True) for at in range(4)]
    for slot, source in enumerate(sources):
        person(room, slot, source)
    for _ in range(20):
        room.tick(lambda: True)
    assert [source.pulls for source in sources] == [5, 5, 5, 5]
    assert {source.at for source in sources} == {19_200}


def test_who_is_cut_off_by_lateness_fades_and_comes_back_without_a_click() -> None:
    room = Room(MixConfig(talkers=0, dtx=False))
    person(room, 0, tone(HZ[0], 0.1, level=20))
    person(room, 1, cosine(200.0, 0.3, level=25))
    person(room, 9)
    for at in range(40):
        room.tick((lambda: True) if at % 8 == 4 else in_time)
    limit = 1.6 * (steady_step(0.3, 200.0) + steady_step(0.1, HZ[0]))
    assert biggest_step(room.sound(9)) < limit
