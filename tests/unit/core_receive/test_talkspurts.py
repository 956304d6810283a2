"""A sender who falls silent and speaks again, in virtual time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fakes.arithmetic import both_arithmetics  # noqa: F401 - both, for all tests here
from fakes.speech import (
    CLEAN_STEP,
    MS,
    SILENT,
    START_NS,
    Call,
    Sent,
    largest_step,
    tone_payload,
)
from voiceroom_mixer.core.receive.source import FrameKind


def test_silent_packets_are_counted_but_never_decoded() -> None:
    call = Call().run(5_000, level=80, voice=False)
    assert not call.receiver.active
    assert call.decoder.decoded == []
    assert call.receiver.stats.rx_packets == call._sent
    assert call.receiver.level == 127


def test_the_onset_of_speech_is_heard_from_its_first_sample() -> None:
    call = Call(first_timestamp=0).run(960, level=80, voice=False)
    first_loud = call._sent
    call.run(1_000)
    stamps = call.decoder.decoded
    assert stamps[:2] == [(first_loud - 1) * 960, first_loud * 960]
    loud = np.flatnonzero(np.abs(call.pcm) > 0.01)
    heard_ms = loud[0] / 48 - (call.sent_ns(first_loud) - START_NS) / MS
    assert heard_ms == pytest.approx(23 - 20, abs=1.0), "a frame is sent 20 ms after its first pull"
    assert largest_step(call.pcm) < CLEAN_STEP * 1.1


def test_a_talkspurt_ends_after_a_moment_of_quiet() -> None:
    call = Call().run(1_000).run(600, level=75, voice=False)
    assert not call.receiver.active
    assert call.receiver.stats.concealed_frames == 0
    assert call.events == []


def test_dtx_is_not_loss_and_raises_no_event() -> None:
    def dtx(number: int, sent: Sent) -> list[Sent]:
        """Speech for 1 s, then a comfort packet every 400 ms; sequence numbers have no gap."""
        if number < 50:
            return [sent]
        if (number - 50) % 20:
            return []
        noise = replace(sent, seq=(100 + 50 + (number - 50) // 20) & 0xFFFF)
        return [replace(noise, payload=SILENT, level=75, voice=False)]

    call = Call().run(5_000, dtx)
    stats = call.receiver.stats
    assert (stats.rx_lost, stats.refill_timeouts, stats.resets) == (0, 0, 0)
    assert call.events == []
    assert not call.receiver.active
    assert call.kinds[-100:].count(FrameKind.SILENCE) == 100


def test_dtx_of_a_sender_without_levels_plays_noise_packets_and_old_sound_never() -> None:
    pause = range(50, 150)

    def dtx(number: int, sent: Sent) -> list[Sent]:
        seq = sent.seq if number < 50 else sent.seq - (number - 50) + (number - 50) // 20
        if number in pause and (number - 50) % 20:
            return []
        soft = tone_payload(sent.timestamp, soft=True) if number in pause else sent.payload
        seq = sent.seq - 95 if number not in pause and number >= 150 else seq
        return [replace(sent, seq=seq & 0xFFFF, payload=soft, level=-1, voice=False)]

    call = Call(levels=False).run(4_000, dtx)
    assert call.receiver.stats.rx_lost == 0
    assert call.decoder.decoded == sorted(call.decoder.decoded)
    assert len(call.events) <= 1, "only the first pause is not yet known as DTX"
    assert call.delay_ms == pytest.approx(23, abs=4)
    assert call.kinds[-1] is FrameKind.AUDIO
