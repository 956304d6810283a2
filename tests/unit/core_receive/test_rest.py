"""Who is silent costs no decoder: not at the edge of silence, and not after a talk that is over."""

from __future__ import annotations

import numpy as np
import pytest

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.speech import Call, largest_step
from voiceroom_mixer.codec.lazy import LazyDecoder
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder
from voiceroom_mixer.codec.pcm import PcmDecoder
from voiceroom_mixer.core.receive.receiver import (
    REST_ROUNDS,
    Receiver,
    ReceiverConfig,
    TickTime,
)

MS = 1_000_000


def test_noise_at_the_gate_wakes_nobody() -> None:
    call = Call()
    for level in (60, 59, 60, 61, 58, 60, 59):
        call.run(300, level=level, voice=False)
    assert call.decoder.decoded == []
    assert not call.receiver.active


@pytest.mark.parametrize(("level", "voice"), [(57, False), (60, True), (126, True)])
def test_sound_above_it_and_what_says_that_it_is_voice_does(level: int, voice: bool) -> None:
    call = Call().run(600, level=60, voice=False).run(600, level=level, voice=voice)
    assert call.receiver.active
    assert call.decoder.decoded != []


def test_who_talks_may_be_as_soft_as_the_gate_allows() -> None:
    call = Call().run(600).run(2_000, level=59, voice=False)
    assert call.receiver.active, "only a sender who is silent already needs more to wake"


def test_a_decoder_goes_once_after_some_rounds_of_silence() -> None:
    call = Call().run(1_000)
    before = call.decoder.resets
    gone = []
    for _ in range(2 * REST_ROUNDS):
        call.run(1_000, level=80, voice=False).receiver.rest()
        gone.append(call.decoder.resets - before)
    assert gone == [0] * (REST_ROUNDS - 1) + [1] * (REST_ROUNDS + 1)


def test_who_is_heard_now_and_then_keeps_his_decoder() -> None:
    call = Call().run(400)
    before = call.decoder.resets
    for _ in range(4 * REST_ROUNDS):
        call.run(400).receiver.rest()
        call.run(1_000, level=80, voice=False).receiver.rest()
        assert call.decoder.resets == before


def test_a_lazy_decoder_gives_its_memory_back_and_decodes_again() -> None:
    decoder = LazyDecoder(PcmDecoder)
    decoder.plc(960)
    assert decoder.made
    decoder.reset()
    assert not decoder.made
    assert len(decoder.plc(960)) == 960


def _heard(rests: bool) -> np.ndarray:
    """A tone, ten seconds of silence, and the tone again, through real Opus."""
    encoder, tick = OpusEncoder(), TickTime()
    receiver = Receiver(ReceiverConfig(20, 200, 960, True), LazyDecoder(OpusDecoder), 1, tick)
    times = np.arange(960 * 600) / 48_000
    tone = (0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    tone[960 * 50 : 960 * 550] *= 1e-4
    out, heard = np.zeros(960, np.float32), []
    for n in range(600):
        silent = 50 <= n < 550
        packet = bytes(encoder.encode(tone[960 * n : 960 * (n + 1)]))
        now_ns = 5_000 * MS + n * 20 * MS
        receiver.push(7, n, n * 960, packet, 90 if silent else 9, not silent, now_ns)
        tick.now_ns = now_ns + 7 * MS
        receiver.pull(out)
        heard.append(out.copy())
        if rests and n % 50 == 49:
            receiver.rest()
    encoder.close()
    return np.concatenate(heard[545:])


def test_the_difference_to_a_decoder_that_was_kept_is_not_heard() -> None:
    kept, made_anew = _heard(rests=False), _heard(rests=True)
    assert np.abs(made_anew).max() > 0.4, "the tone is back"
    assert largest_step(made_anew) < 1.15 * largest_step(kept), "no click"
    difference = np.square(made_anew - kept).mean() / np.square(kept).mean()
    assert 10 * np.log10(difference + 1e-12) < -25
