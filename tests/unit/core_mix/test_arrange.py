"""Listeners who change from one mix to another must not hear it."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.rooms import Room, in_time, strength
from fakes.sources import cosine, tone
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.room_mixer import MixConfig, RoomMixer
from voiceroom_mixer.core.receive.source import Pcm


def talker_between(first: int, last: int, *, frames: int) -> Pcm:
    """What a second person hears of a steady talker, while he talks himself for some frames."""
    room = Room()
    room.mixer.set_source(
        0, cosine(200.0, 0.3, level=13), participant="a", gain_db=0.0, muted=False
    )
    for slot, who in ((0, "a"), (1, "b"), (2, "c")):
        room.mixer.set_listener(slot, participant=who, hears={}, loss_ppm=0)
    own = tone(900.0, 0.2, level=17)
    for at in range(frames):
        muted = not first <= at < last
        room.mixer.set_source(1, own, participant="b", gain_db=0.0, muted=muted)
        room.tick()
    return room.sound(1)


def test_who_starts_and_stops_talking_hears_the_others_unchanged() -> None:
    quiet = talker_between(99, 99, frames=40)
    talked = talker_between(10, 20, frames=40)
    np.testing.assert_allclose(talked, quiet, atol=1e-6)


def test_a_moved_listener_s_new_stream_predicts_nothing_from_the_old() -> None:
    room = Room()
    for slot, who in ((0, "a"), (1, "b"), (2, "c")):
        room.mixer.set_listener(slot, participant=who, hears={}, loss_ppm=0)
    room.mixer.set_source(0, tone(300.0, level=20), participant="a", gain_db=0.0, muted=False)
    room.run(10)
    common = room.encoders[0]
    assert not any(common.independent[1:])
    second = tone(500.0, level=20)
    room.mixer.set_source(1, second, participant="b", gain_db=0.0, muted=False)
    room.run(10)
    # b's own mix began with the frame before, then with a frame that predicts nothing.
    own = next(e for e in room.encoders[1:] if len(e.independent) == 11)
    assert own.independent == [False, True] + [False] * 9
    assert not any(common.independent[1:])
    room.mixer.set_source(1, second, participant="b", gain_db=0.0, muted=True)
    room.run(10)
    assert sum(common.independent[1:]) == 1


@pytest.mark.parametrize("wish", [0.0, 0.25, 3.0])
def test_a_wish_given_up_is_ramped_into_the_common_mix(wish: float) -> None:
    room = Room()
    room.mixer.set_source(
        0, cosine(200.0, 0.2, level=13), participant="a", gain_db=0.0, muted=False
    )
    room.mixer.set_listener(1, participant="b", hears={0: wish}, loss_ppm=0)
    room.mixer.set_listener(2, participant="c", hears={}, loss_ppm=0)
    room.run(5)
    room.mixer.set_listener(1, participant="b", hears={}, loss_ppm=0)
    room.run(5)
    changed = np.abs(np.diff(room.sound(1))).max()
    assert changed < 1.6 * 0.2 * max(wish, 1.0) * 2 * np.pi * 200 / 48_000
    np.testing.assert_allclose(room.heard[1][-1], room.heard[2][-1], atol=1e-6)
    assert len(room.tick().outputs) == 1


def test_the_common_mix_comes_back_after_nobody_has_heard_it() -> None:
    room = Room()
    sources = [tone(hz, 0.1, level=20) for hz in (300.0, 500.0)]
    for slot, source in enumerate(sources):
        room.mixer.set_listener(slot, participant=str(slot), hears={}, loss_ppm=0)
        room.mixer.set_source(slot, source, participant=str(slot), gain_db=0.0, muted=False)
    room.run(20)
    room.mixer.set_source(1, sources[1], participant="1", gain_db=0.0, muted=True)
    room.run(10)
    sound = room.sound(1)
    assert np.abs(np.diff(sound)).max() < 1.6 * 0.1 * 2 * np.pi * 300 / 48_000
    assert strength(sound[-4_800:], 300.0) == pytest.approx(0.1, abs=1e-3)
    assert strength(sound[-4_800:], 500.0) < 1e-6


def test_a_newcomer_gets_a_stream_that_he_can_begin_with() -> None:
    room = Room()
    room.mixer.set_listener(1, participant="b", hears={}, loss_ppm=0)
    room.mixer.set_source(0, tone(300.0, level=20), participant="a", gain_db=0.0, muted=False)
    room.run(5)
    room.mixer.set_listener(2, participant="c", hears={}, loss_ppm=0)
    room.run(5)
    assert room.encoders[0].independent == [True] + [False] * 4 + [True] + [False] * 4


def opus_listener(talks: range) -> Pcm:
    """Through real Opus: what b hears of a, while b talks during some frames."""
    mixer = RoomMixer(MixConfig(), OpusEncoder, PcmPool())
    first = cosine(200.0, 0.2, level=15)
    own = tone(900.0, 0.2, level=15)
    mixer.set_source(0, first, participant="a", gain_db=0.0, muted=False)
    for slot, who in ((0, "a"), (1, "b"), (2, "c")):
        mixer.set_listener(slot, participant=who, hears={}, loss_ppm=0)
    decoder = OpusDecoder()
    heard = []
    for at in range(60):
        mixer.set_source(1, own, participant="b", gain_db=0.0, muted=at not in talks)
        result = mixer.tick(in_time)
        payload = next(o.payload for o in result.outputs if 1 in o.slots.tolist())
        assert payload is not None
        heard.append(decoder.decode(payload).copy())
    mixer.close()
    return np.concatenate(heard)


def test_moving_between_encoders_is_not_heard_through_opus() -> None:
    stayed = opus_listener(range(0))
    moved = opus_listener(range(20, 40))
    settled = slice(10 * 960, None)
    assert np.abs(stayed[settled] - moved[settled]).max() < 0.09
    assert np.abs(np.diff(moved[settled])).max() < 0.01
    level = [strength(moved[at : at + 240], 200.0) for at in range(9_600, len(moved), 240)]
    assert min(level) > 0.17
