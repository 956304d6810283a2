"""What people in a room hear, and what the room costs."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.rooms import (
    HZ,
    Room,
    biggest_step,
    output_for,
    person,
    steady_step,
    strength,
    talking_room,
)
from fakes.sources import ScriptedSource, cosine, tone
from voiceroom_mixer.core.mix.limiter import DELAY_SAMPLES
from voiceroom_mixer.core.mix.room_mixer import MixConfig
from voiceroom_mixer.core.mix.talkers import TalkEvent
from voiceroom_mixer.core.receive.source import FrameKind, Pcm


def ear(room: Room, slot: int, ticks: int = 5) -> list[float]:
    """How strong each talker's tone is in the last 100 ms that a listener heard."""
    sound = np.concatenate(room.heard[slot][-ticks:])
    return [round(strength(sound, hz), 3) for hz in HZ]


def test_everybody_hears_the_others_and_never_himself() -> None:
    room = talking_room(3, 1)
    room.run(10)
    assert ear(room, 3)[:3] == [0.1, 0.1, 0.1]
    assert ear(room, 0)[:3] == [0.0, 0.1, 0.1]
    assert ear(room, 1)[:3] == [0.1, 0.0, 0.1]


def test_a_lone_talker_hears_silence_and_costs_one_encode() -> None:
    room = talking_room(1, 5)
    result = room.run(5)
    assert output_for(result, 0).payload is None
    assert result.encodes == 1


def test_the_sum_is_exact_after_the_limiter_s_delay() -> None:
    room = talking_room(2, 1)
    room.run(10)
    n = np.arange(9_600)
    wanted = 0.1 * np.sin(2 * np.pi * HZ[0] * n / 48_000)
    wanted += 0.1 * np.sin(2 * np.pi * HZ[1] * n / 48_000)
    got = room.sound(2)
    np.testing.assert_allclose(got[960 + DELAY_SAMPLES :], wanted[960:-DELAY_SAMPLES], atol=1e-6)


def test_legs_of_one_person_do_not_hear_each_other() -> None:
    room = Room()
    person(room, 0, tone(HZ[0], 0.1), participant="ann")
    person(room, 1, tone(HZ[1], 0.1), participant="ann")
    person(room, 2, tone(HZ[2], 0.1), participant="bob")
    result = room.run(10)
    for slot in (0, 1):
        assert ear(room, slot)[:3] == [0.0, 0.0, 0.1]
    assert output_for(result, 0) is output_for(result, 1)


def test_a_talker_who_turns_out_to_be_the_listener_himself_is_gone_at_once() -> None:
    room = Room()
    source = tone(HZ[0], 0.1, level=20)
    room.mixer.set_source(5, source, participant="x", gain_db=0.0, muted=False)
    person(room, 0, participant="ann")
    room.run(5)
    room.mixer.set_source(5, source, participant="ann", gain_db=0.0, muted=False)
    room.tick()
    assert not room.heard[0][-1][DELAY_SAMPLES:].any()


def test_gains_of_talker_and_listener_multiply() -> None:
    room = Room()
    person(room, 0, tone(HZ[0], 0.02), gain_db=6.0206)
    person(room, 1, hears={0: 2.0})
    person(room, 2, hears={0: 0.0})
    person(room, 3)
    room.run(10)
    assert [ear(room, slot)[0] for slot in (1, 2, 3)] == [0.08, 0.0, 0.04]


def test_equal_wishes_share_one_encode() -> None:
    room = talking_room(3, 500)
    for slot in (10, 20, 30):
        person(room, slot, hears={0: 0.5, 99: 0.25})
    for slot in (40, 50):
        person(room, slot, hears={0: 1.0, 99: 0.0})
    result = room.run(10)
    assert len(result.outputs) == result.encodes == 3 + 1 + 1
    assert sorted(output_for(result, 10).slots.tolist()) == [10, 20, 30]
    assert len(output_for(result, 40).slots) == 497


def test_a_wish_about_the_silent_costs_nothing() -> None:
    room = talking_room(1, 10)
    person(room, 5, hears={9: 0.1})
    assert room.run(5).encodes == 1


def test_the_common_encoder_stays_the_same_when_talkers_come_and_go() -> None:
    room = talking_room(2, 2)
    room.run(10)
    common = room.encoders[0]
    before = len(common.independent)
    for at in range(200):
        muted = at % 7 < 3
        source = tone(HZ[2], 0.1, level=20)
        room.mixer.set_source(2, source, participant="p2", gain_db=0.0, muted=muted)
        room.tick()
    assert len(common.independent) == before + 200
    assert len(room.encoders) <= 6


def test_loudest_n_are_decoded_and_the_rest_is_not() -> None:
    room = Room(MixConfig(talkers=2, dtx=False))
    sources = [tone(HZ[at], 0.1, level=level) for at, level in enumerate((50, 20, 30, 90))]
    for slot, source in enumerate(sources):
        person(room, slot, source)
    person(room, 9)
    result = room.run(10)
    assert result.talkers == (1, 2)
    assert ear(room, 9)[:4] == [0.0, 0.1, 0.1, 0.0]
    assert [source.pulls for source in sources] == [0, 10, 10, 0]
    assert [source.skips for source in sources] == [10, 0, 0, 10]
    assert len({source.at for source in sources}) == 1


def test_a_sender_without_levels_is_decoded_to_learn_how_loud_it_is() -> None:
    room = Room(MixConfig(talkers=1, dtx=False))
    quiet = tone(HZ[0], 0.01, must_decode=True)
    loud = tone(HZ[1], 0.3, must_decode=True)
    silent = tone(HZ[2], 0.0, must_decode=True)
    for slot, source in enumerate((quiet, loud, silent)):
        person(room, slot, source)
    person(room, 9)
    result = room.run(10)
    assert result.talkers == (1,)
    assert [source.pulls for source in (quiet, loud, silent)] == [10, 10, 10]
    assert ear(room, 9)[:3] == [0.0, 0.3, 0.0]


def test_the_muted_are_neither_decoded_nor_heard() -> None:
    room = talking_room(1, 1)
    source = tone(HZ[1], 0.1)
    room.mixer.set_source(7, source, participant="x", gain_db=0.0, muted=True)
    room.run(10)
    assert (source.pulls, source.skips) == (0, 10)
    assert ear(room, 1)[:2] == [0.1, 0.0]


def test_events_say_who_talks() -> None:
    room = Room()
    source = tone(HZ[0], 0.1, level=30)
    person(room, 0, source)
    events = [event for _ in range(10) for event in room.tick().events]
    source.active = False
    events += [event for _ in range(30) for event in room.tick().events]
    assert events == [TalkEvent(0, True), TalkEvent(0, False)]


def test_who_is_muted_or_gone_stops_talking_at_once() -> None:
    room = talking_room(2, 0)
    room.run(10)
    room.mixer.set_source(0, tone(HZ[0]), participant="p0", gain_db=0.0, muted=True)
    room.mixer.remove_source(1)
    assert room.tick().events == [TalkEvent(0, False), TalkEvent(1, False)]


def test_contributors_are_those_who_are_heard_loudest_first() -> None:
    room = Room()
    for slot, amplitude in enumerate((0.1, 0.3, 0.2)):
        person(room, slot, tone(HZ[slot], amplitude))
    person(room, 9)
    result = room.run(5)
    everybody = output_for(result, 9).contributors
    assert [slot for slot, _ in everybody] == [1, 2, 0]
    assert everybody[0][1] == pytest.approx(13, abs=1)
    assert [slot for slot, _ in output_for(result, 1).contributors] == [2, 0]


def test_silence_is_not_encoded_and_sound_after_it_is_marked() -> None:
    room = talking_room(1, 1)
    source = tone(HZ[0], 0.1)
    room.mixer.set_source(0, source, participant="p0", gain_db=0.0, muted=False)
    assert output_for(room.tick(), 1).resumed
    assert not output_for(room.tick(), 1).resumed
    source.active = False
    outputs = [output_for(room.tick(), 1) for _ in range(40)]
    sent = [output.payload is not None for output in outputs]
    assert sent[-1] is False
    assert sent == sorted(sent, reverse=True)
    source.active = True
    assert output_for(room.tick(), 1).resumed


def test_the_last_sound_is_sent_whole() -> None:
    room = talking_room(1, 1)
    room.run(5)
    room.mixer.remove_source(0)
    outputs = [output_for(room.tick(), 1) for _ in range(3)]
    assert [output.payload is not None for output in outputs] == [True, True, False]
    assert not room.heard[1][-2][DELAY_SAMPLES:].any()


def test_an_empty_room_is_silent() -> None:
    room = Room()
    assert room.tick().outputs == []
    person(room, 3)
    result = room.tick()
    assert [output.payload for output in result.outputs] == [None]
    assert result.encodes == 0


def test_entering_and_leaving_talkers_do_not_click() -> None:
    room = talking_room(0, 1)
    source = cosine(200.0, 0.3, level=13)
    for muted in (False, True, False, True, False):
        room.mixer.set_source(5, source, participant="x", gain_db=0.0, muted=muted)
        room.run(4)
    assert biggest_step(room.sound(0)) < 1.6 * steady_step(0.3, 200.0)


def test_gain_changes_do_not_click() -> None:
    room = talking_room(0, 3)
    source = tone(HZ[0], 0.1, level=23)
    wishes = (1.0, 0.0, 2.0, 0.5, 1.0)
    for gain_db, wish in zip((0.0, 12.0, -20.0, 6.0, -60.0), wishes, strict=True):
        room.mixer.set_source(0, source, participant="p0", gain_db=gain_db, muted=False)
        person(room, 2, hears={0: wish})
        room.run(4)
    for slot in (1, 2):
        assert biggest_step(room.sound(slot)) < 1.6 * steady_step(0.8, HZ[0])


def test_a_talker_who_vanishes_does_not_click() -> None:
    for phase in range(8):
        room = talking_room(0, 1)
        source = cosine(190.0, 0.3, phase=phase, level=13)
        room.mixer.set_source(5, source, participant="x", gain_db=0.0, muted=False)
        room.run(5)
        room.mixer.remove_source(5)
        room.run(3)
        assert biggest_step(room.sound(0)) < 1.6 * steady_step(0.3, 190.0)


def test_another_talker_in_the_same_slot_fades_in() -> None:
    room = talking_room(0, 1)
    for hz in (200.0, 240.0):
        source = cosine(hz, 0.3, level=13)
        room.mixer.set_source(5, source, participant="x", gain_db=0.0, muted=False)
        room.run(5)
    frame = room.heard[0][5]
    assert strength(frame[:240], 240.0) < strength(frame[-240:], 240.0) / 2


def test_after_skipped_frames_sound_fades_in() -> None:
    room = talking_room(1, 1)
    room.run(5)
    room.mixer.fade_in()
    result = room.tick()
    assert output_for(result, 1).payload is not None
    frame = room.heard[1][-1][DELAY_SAMPLES:]
    assert strength(frame[:240], HZ[0]) < strength(frame[-240:], HZ[0]) / 2
    assert room.encoders[0].independent[-1]


def test_a_sender_that_breaks_is_taken_out_and_the_room_goes_on() -> None:
    class Broken(ScriptedSource):
        def pull(self, out: Pcm) -> FrameKind:
            raise RuntimeError("decoder state is gone")

        def skip(self, samples: int) -> None:
            raise AssertionError("touched after it broke")

    room = talking_room(2, 1)
    room.run(5)
    room.mixer.set_source(
        1, Broken(lambda n: 0.0 * n, level=10), participant="p1", gain_db=0.0, muted=False
    )
    assert room.tick().faults == (1,)
    assert room.run(10).faults == ()
    assert ear(room, 2)[:2] == [0.1, 0.0]
    assert room.pool.lent == 0


def test_a_sender_of_nonsense_is_silence_and_spoils_nothing() -> None:
    def nonsense(n: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Pcm:
        return np.full(len(n), np.nan, np.float32)

    room = talking_room(1, 1)
    person(room, 5, ScriptedSource(nonsense, level=10))
    room.run(10)
    assert np.isfinite(room.sound(1)).all()
    assert ear(room, 1)[0] == 0.1


def test_loss_protects_the_mix_of_those_who_report_it() -> None:
    room = talking_room(2, 3)
    room.run(3)
    common = room.encoders[0]
    assert not common.settings.fec
    room.mixer.set_loss(0, 120_000)
    room.run(2)
    assert [encoder.settings.fec for encoder in room.encoders].count(True) == 1
    assert not common.settings.fec
    room.mixer.set_loss(4, 30_000)
    room.run(2)
    assert common.settings.fec
    room.mixer.remove_listener(4)
    room.run(520)
    assert not common.settings.fec


def test_settings_change_while_people_talk() -> None:
    room = talking_room(3, 1)
    room.run(10)
    room.mixer.configure(MixConfig(talkers=1, bitrate_kbps=64, dtx=False))
    result = room.run(3)
    assert len(result.talkers) == 1
    assert room.encoders[0].settings.bitrate_bps == 64_000
    with pytest.raises(ValueError, match="must be one of"):
        MixConfig(frame_samples=441)


@pytest.mark.parametrize("samples", [480, 1920])
def test_frames_of_another_length_go_on_without_a_seam(samples: int) -> None:
    room = Room()
    person(room, 0, cosine(440.0, 0.1, level=23))
    person(room, 1)
    room.run(10)
    room.mixer.configure(MixConfig(dtx=False, frame_samples=samples))
    room.run(6)
    room.mixer.configure(MixConfig(dtx=False))
    room.run(10)
    assert len(room.sound(1)) == 20 * 960 + 6 * samples
    assert biggest_step(room.sound(1)[2_000:]) <= 1.01 * steady_step(0.1, 440.0)


def test_who_talks_goes_on_talking_over_another_frame_length() -> None:
    room = talking_room(1, 1)
    assert [event for _ in range(10) for event in room.tick().events]
    room.mixer.configure(MixConfig(dtx=False, frame_samples=1920))
    assert [event for _ in range(30) for event in room.tick().events] == []


def test_a_shared_mix_leaves_out_volumes_and_keeps_mutes() -> None:
    room = talking_room(2, 2)
    person(room, 4, hears={0: 0.25})
    person(room, 5, hears={0: 0.0})
    room.run(10)
    assert strength(room.heard[4][-1], HZ[0]) == pytest.approx(0.025, rel=0.05)
    encodes = room.tick().encodes
    room.mixer.configure(MixConfig(dtx=False, shared=True))
    room.run(10)
    assert room.tick().encodes == encodes - 1
    assert strength(room.heard[4][-1], HZ[0]) == pytest.approx(0.1, rel=0.05)
    assert strength(room.heard[5][-1], HZ[0]) < 0.001
    assert strength(room.heard[5][-1], HZ[1]) == pytest.approx(0.1, rel=0.05)
    room.mixer.configure(MixConfig(dtx=False))
    room.run(10)
    assert strength(room.heard[4][-1], HZ[0]) == pytest.approx(0.025, rel=0.05)


def test_loss_is_answered_again_when_fec_is_allowed_again() -> None:
    room = talking_room(1, 1)
    room.mixer.set_loss(1, 60_000)
    room.run(3)
    assert room.encoders[0].settings.fec
    room.mixer.configure(MixConfig(dtx=False, fec=False))
    room.run(3)
    assert not room.encoders[0].settings.fec
    room.mixer.configure(MixConfig(dtx=False))
    room.run(3)
    assert room.encoders[0].settings.fec


def test_removing_what_is_not_there_is_no_error() -> None:
    room = talking_room(1, 1)
    room.mixer.remove_listener(77)
    room.mixer.remove_source(77)
    room.mixer.set_loss(77, 0)
    assert room.run(2).encodes == 1


def test_a_closed_room_has_closed_its_encoders() -> None:
    room = talking_room(3, 1)
    room.run(3)
    room.mixer.close()
    assert len(room.encoders) == 4
    assert all(encoder.closed for encoder in room.encoders)


@pytest.mark.parametrize("samples", [480, 960, 1920])
def test_every_frame_size_sounds_the_same(samples: int) -> None:
    room = talking_room(2, 1, MixConfig(frame_samples=samples, dtx=False))
    room.run(9_600 // samples)
    got = room.sound(2)[4_800:]
    assert [round(strength(got, hz), 3) for hz in HZ[:2]] == [0.1, 0.1]
