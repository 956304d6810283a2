"""A sender, a network and a mixer's grid in virtual time, around a real ``Receiver``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from fakes import arithmetic
from voiceroom_mixer.core.netem import Netem, NetemConfig
from voiceroom_mixer.core.receive.receiver import (
    PushResult,
    Receiver,
    ReceiverConfig,
    RefillTimeout,
    TickTime,
)
from voiceroom_mixer.core.receive.source import FrameKind, Pcm

CLEAN_STEP = 0.5 * 2 * np.pi / 512 * 1.02
"""The tone's own steepest step."""
MS = 1_000_000
START_NS = 5_000 * MS
TONE_PERIOD = 512
"""93.75 Hz; divides 2**32, so that the tone goes on where timestamps wrap."""
TONE = np.sin(2 * np.pi * np.arange(20 * TONE_PERIOD) / TONE_PERIOD).astype(np.float32)
_HEAD = struct.Struct("!IHBB")
_WITH_COPY = 1
_SOFT = 2
SILENT = b"\xf8\xff\xfe"
"""An Opus DTX packet."""


def tone_payload(stamp: int, samples: int = 960, *, fec: bool = False, soft: bool = False) -> bytes:
    """A packet of the tone whose phase follows the timestamp; ``soft`` is at -70 dBov."""
    flags = (_WITH_COPY if fec else 0) | (_SOFT if soft else 0)
    return _HEAD.pack(stamp & 0xFFFF_FFFF, samples, flags, 0)


class ToneDecoder:
    """Decodes ``tone_payload``; what it conceals is silence, so that it can be told apart."""

    def __init__(self) -> None:
        self.decoded: list[int] = []
        """Timestamps, in the order in which they were decoded."""
        self.resets = 0

    def decode(self, payload: bytes) -> Pcm:
        if len(payload) <= 3:
            return np.zeros(960, np.float32)
        if len(payload) != _HEAD.size:
            raise ValueError("not a tone packet")
        stamp, samples, flags, _ = _HEAD.unpack(payload)
        self.decoded.append(stamp)
        return _tone(stamp, samples, 0.0005 if flags & _SOFT else 0.5)

    def plc(self, samples: int) -> Pcm:
        assert samples % 120 == 0
        assert 0 < samples <= 5_760
        return np.zeros(samples, np.float32)

    def fec(self, payload: bytes, samples: int) -> Pcm:
        stamp = int(_HEAD.unpack(payload)[0])
        return _tone(stamp - samples, samples, 0.5)

    def packet_samples(self, payload: bytes) -> int:
        if len(payload) <= 3:
            return 960
        if len(payload) != _HEAD.size:
            raise ValueError("not a tone packet")
        return int(_HEAD.unpack(payload)[1])

    def has_fec(self, payload: bytes) -> bool:
        return len(payload) == _HEAD.size and bool(_HEAD.unpack(payload)[2] & _WITH_COPY)

    def reset(self) -> None:
        self.resets += 1


def _tone(stamp: int, samples: int, amplitude: float) -> Pcm:
    begin = stamp % TONE_PERIOD
    return np.asarray(TONE[begin : begin + samples] * np.float32(amplitude), np.float32)


@dataclass(slots=True)
class Sent:
    """One packet on its way."""

    seq: int
    timestamp: int
    payload: bytes
    level: int = 20
    voice: bool = True
    ssrc: int = 0x1234


@dataclass(slots=True, repr=False)
class Call:
    """One leg. ``sender_ppm`` is how fast the sender's clock is; ticks are on the true one."""

    min_ms: int = 20
    max_ms: int = 200
    frame_ms: int = 20
    packet_ms: int = 20
    sender_ppm: float = 0.0
    net: NetemConfig = field(default_factory=NetemConfig)
    seed: int = 1
    phase_ms: float = 7.0
    """Of the first packet to the first tick."""
    first_seq: int = 100
    first_timestamp: int = 1_000
    levels: bool = True
    keep: bool = True
    """Keep the sound; long calls do not."""
    fec: bool = False
    decoder: ToneDecoder = field(default_factory=ToneDecoder)
    tick: TickTime = field(default_factory=TickTime)
    kinds: list[FrameKind] = field(default_factory=list)
    results: list[PushResult] = field(default_factory=list)
    events: list[RefillTimeout] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    sound: list[Pcm] = field(default_factory=list)
    now_ns: int = START_NS
    receiver: Receiver = field(init=False)
    link: Netem[Sent] = field(init=False)
    _sent: int = 0
    _ticks: int = 0

    def __post_init__(self) -> None:
        config = ReceiverConfig(self.min_ms, self.max_ms, self.frame_ms * 48, self.levels)
        self.receiver = Receiver(config, self.decoder, self.seed, self.tick)
        self.link = Netem(self.net, self.seed)

    def packet(self, number: int, *, level: int = 20, voice: bool = True) -> Sent:
        """The sender's packet ``number``: a tone, or silence from level 60 on."""
        stamp = self.first_timestamp + number * self.packet_ms * 48
        quiet = level >= 60 and not voice
        return Sent(
            seq=(self.first_seq + number) & 0xFFFF,
            timestamp=stamp & 0xFFFF_FFFF,
            payload=tone_payload(stamp, self.packet_ms * 48, fec=self.fec, soft=quiet),
            level=level if self.levels else -1,
            voice=voice,
        )

    def sent_ns(self, number: int) -> int:
        """When the sender's clock sends packet ``number``."""
        true_ms = number * self.packet_ms / (1 + self.sender_ppm * 1e-6)
        return START_NS + int((self.phase_ms + true_ms) * MS)

    def run(
        self,
        milliseconds: float,
        change: Callable[[int, Sent], Iterable[Sent]] = lambda number, sent: (sent,),
        *,
        level: int = 20,
        voice: bool = True,
    ) -> Call:
        """Go on for so long; ``change`` turns each packet into those that are really sent."""
        end_ns = self.now_ns + int(milliseconds * MS)
        while self.now_ns < end_ns:
            self.now_ns += self.frame_ms * MS
            while (at_ns := self.sent_ns(self._sent)) <= self.now_ns:
                for sent in change(self._sent, self.packet(self._sent, level=level, voice=voice)):
                    self.link.send(at_ns, sent, 60)
                self._sent += 1
            for arrival_ns, sent in self.link.receive(self.now_ns):
                self.push(sent, arrival_ns)
            self.pull()
        return self

    def pass_over(self, milliseconds: float) -> None:
        """As ``run``, for a sender that is not among the talkers: skipped, in long strides."""
        end_ns = self.now_ns + int(milliseconds * MS)
        while self.now_ns < end_ns:
            self.now_ns += self.frame_ms * MS
            while (at_ns := self.sent_ns(self._sent)) <= self.now_ns:
                self.link.send(at_ns, self.packet(self._sent), 60)
                self._sent += 1
            for arrival_ns, sent in self.link.receive(self.now_ns):
                self.push(sent, arrival_ns)
            self.tick.now_ns = self.now_ns
            self.receiver.skip(self.packet_ms * 48)
            self.now_ns += (self.packet_ms - self.frame_ms) * MS

    def push(self, sent: Sent, arrival_ns: int) -> PushResult:
        """One packet arrives."""
        result = self.receiver.push(
            sent.ssrc, sent.seq, sent.timestamp, sent.payload, sent.level, sent.voice, arrival_ns
        )
        self.results.append(result)
        return result

    def pull(self) -> FrameKind:
        """One tick, at ``now_ns``."""
        self.tick.now_ns = self.now_ns
        out = np.empty(self.frame_ms * 48, np.float32)
        kind = self._pull(out) if self.receiver.active else FrameKind.SILENCE
        if kind is FrameKind.SILENCE and not self.receiver.active:
            out[:] = 0.0
        self.kinds.append(kind)
        self.depths.append(self.receiver.delay_samples)
        self.events += self.receiver.events()
        if self.keep:
            self.sound.append(out)
        return kind

    def _pull(self, out: Pcm) -> FrameKind:
        kernels = arithmetic.chosen
        if kernels is None or not self.receiver.plan(kernels.pulls, out.ctypes.data, len(out)):
            return self.receiver.pull(out)
        (pulled,) = kernels.pulls.run(len(out))
        return self.receiver.settle(pulled, out)

    @property
    def pcm(self) -> Pcm:
        """All that was heard."""
        return np.concatenate(self.sound)

    @property
    def delay_ms(self) -> float:
        """How long sound waits now."""
        return self.receiver.delay_samples / 48

    def count(self, kind: FrameKind) -> int:
        """Frames of a kind so far."""
        return self.kinds.count(kind)

    def heard(self) -> Iterator[int]:
        """Numbers of the frames in which real sound was heard."""
        return (i for i, kind in enumerate(self.kinds) if kind is FrameKind.AUDIO)


def dropping(*numbers: int) -> Callable[[int, Sent], Iterable[Sent]]:
    """Lose these packets."""
    return lambda number, sent: () if number in numbers else (sent,)


class Holding:
    """Keeps what is sent, as a stalled network does."""

    def __init__(self) -> None:
        self.packets: list[Sent] = []

    def __call__(self, number: int, sent: Sent) -> Iterable[Sent]:
        self.packets.append(sent)
        return ()


def largest_step(pcm: Pcm) -> float:
    """The largest change from one sample to the next: a click stands out in it."""
    return float(np.abs(np.diff(pcm)).max())
