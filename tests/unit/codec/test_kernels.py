"""The compiled kernels against their twins: the same packets in, the same decisions and, but for
the last bit, the same sound out."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from fakes.arithmetic import compiled
from fakes.mixtwins import DTX, Room, Scene, Sent, Twins
from voiceroom_mixer.codec import kernels as codec_kernels
from voiceroom_mixer.codec import library
from voiceroom_mixer.codec.kernels import Kernels
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder
from voiceroom_mixer.core.mix.resample import FractionalResampler
from voiceroom_mixer.core.mix.room_mixer import MixConfig
from voiceroom_mixer.core.netem import GilbertElliott, NetemConfig
from voiceroom_mixer.core.receive.batch import PullStatus
from voiceroom_mixer.core.receive.jitter import Packet

LSB = 1.0 / 32_768.0


@pytest.fixture(scope="module")
def kernels() -> Kernels:
    return compiled()


def _garbage(sender: int, number: int, sent: Sent) -> Sent:
    """Every ninth packet is none of Opus's."""
    rng = np.random.default_rng(number)
    wrong = (b"\xff\xff", b"\x03", bytes(rng.integers(0, 256, 40, np.uint8)))[number % 3]
    return Sent(number, wrong, sent.level) if number % 9 == 4 else sent


def _pauses(sender: int, number: int, sent: Sent) -> Sent:
    """Half a second of talk, half a second of DTX."""
    return Sent(number, DTX, 127) if (number // 25 + sender) % 2 else sent


def _people(tick: int, room: Room) -> None:
    """Who comes, goes, mutes, wishes; and frames that nobody heard."""
    if tick == 40:
        room.sender(0, muted=True)
    elif tick == 60:
        room.sender(0)
        room.listener(4, {0: 0.5, 1: 0.0})
    elif tick == 90:
        room.mixer.remove_source(1)
    elif tick == 110:
        room.skip(3 * 960)
    elif tick == 130:
        room.listener(4)
    elif tick == 150:
        room.mixer.remove_listener(2)


LOSSY = NetemConfig(loss=GilbertElliott(to_bad=0.05, to_good=0.7), jitter_ms=12.0)
SCENES = {
    "in order": Scene(),
    "lossy": Scene(net=LOSSY, seconds=8.0),
    "fast clock": Scene(sender_ppm=120.0, seconds=30.0, senders=2),
    "slow clock, lossy": Scene(sender_ppm=-200.0, net=LOSSY, seconds=30.0, senders=2),
    "all talk": Scene(MixConfig(talkers=0), senders=10, seconds=2.0),
    "loud": Scene(amplitude=0.5, gain_db=12.0),
    "no levels": Scene(levels=False, net=LOSSY),
    "10 ms packets": Scene(packet_ms=10),
    "10 ms frames": Scene(MixConfig(frame_samples=480)),
    "40 ms frames": Scene(MixConfig(frame_samples=1920), net=LOSSY),
    "pauses": Scene(change=_pauses, seconds=8.0),
    "garbage": Scene(change=_garbage),
    "people": Scene(act=_people),
    "more talk than seats": Scene(senders=7, change=_pauses, seconds=6.0),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_room_sounds_and_decides_the_same(kernels: Kernels, name: str) -> None:
    twins = Twins(SCENES[name], kernels)
    sounding = 0
    for step in twins.run():
        plain, compiled_ = step.plain, step.compiled
        assert compiled_.talkers == plain.talkers
        assert compiled_.kinds == plain.kinds
        assert compiled_.events == plain.events
        assert compiled_.faults == plain.faults
        assert (compiled_.encodes, compiled_.primes) == (plain.encodes, plain.primes)
        for made, expected in zip(compiled_.outputs, plain.outputs, strict=True):
            assert made.slots.tolist() == expected.slots.tolist()
            assert (made.payload is None) == (expected.payload is None)
            assert made.contributors == expected.contributors
            assert made.resumed == expected.resumed
            sounding += made.payload is not None
        assert step.difference <= LSB
    assert sounding > 100
    assert twins.compiled.stats() == twins.plain.stats()
    assert twins.compiled.pool.lent == 0


def test_silence_is_silent_to_the_last_bit(kernels: Kernels) -> None:
    scene = Scene(senders=2, change=lambda s, n, sent: Sent(n, DTX, 127) if n > 50 else sent)
    twins = Twins(scene, kernels)
    last = [step.compiled for step in twins.run()][-1]
    assert [output.payload for output in last.outputs] == [None]


def test_a_talker_does_not_hear_himself_at_all(kernels: Kernels) -> None:
    scene = Scene(senders=1, amplitude=0.5, gain_db=20.0)
    twins = Twins(scene, kernels)
    heard = []
    for step in twins.run():
        outputs = {s: o.payload for o in step.compiled.outputs for s in o.slots.tolist()}
        assert outputs[0] is None
        heard.append(outputs[1] is not None)
    assert any(heard)


def test_hostile_packets_leave_the_sender_as_it_was(kernels: Kernels) -> None:
    """Whatever libopus refuses changes nothing: the caller conceals, as ever."""
    rng = np.random.default_rng(5)
    decoder, fifo = OpusDecoder(), FractionalResampler()
    out = np.full(960, 0.25, np.float32)
    refused = 0
    for size in range(1, 400):
        payload = bytes(rng.integers(0, 256, size, np.uint8))
        before = (fifo.start, fifo.end, fifo.fraction)
        packet = Packet(size, 0, payload, False)
        assert kernels.pulls.add(out.ctypes.data, decoder, fifo, packet, 0, True, 0.0)
        (pulled,) = kernels.pulls.run(960)
        if pulled.status == PullStatus.UNDECODABLE:
            refused += 1
            assert (fifo.start, fifo.end, fifo.fraction) == before
        else:
            assert np.isfinite(out).all()
            fifo.reset()
    assert 0 < refused < 399


def test_a_full_batch_takes_no_more(kernels: Kernels) -> None:
    fifo, decoder = FractionalResampler(), OpusDecoder()
    fifo.push(np.zeros(2_000, np.float32))
    out = np.ones(480, np.float32)
    row = (out.ctypes.data, decoder, fifo, None, 0, False, 0.0)
    added = [kernels.pulls.add(*row) for _ in range(kernels.pulls.capacity + 1)]
    assert added == [True] * kernels.pulls.capacity + [False]
    assert len(kernels.pulls.run(480)) == kernels.pulls.capacity
    assert not out.any()


def test_a_closed_codec_is_never_called() -> None:
    encoder, decoder = OpusEncoder(), OpusDecoder()
    assert encoder.handle
    assert decoder.handle
    encoder.close()
    decoder.close()
    assert encoder.handle == decoder.handle == 0


def test_without_a_library_there_are_no_kernels() -> None:
    nothing: ctypes.PyDLL | None = None
    assert codec_kernels.make(nothing, library.load()) is None
