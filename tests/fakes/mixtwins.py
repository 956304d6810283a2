"""Two rooms that are told the same: one mixes with numpy, one with the compiled kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from voiceroom_mixer.codec.kernels import Kernels
from voiceroom_mixer.codec.lazy import LazyDecoder
from voiceroom_mixer.codec.opus import OpusDecoder, OpusEncoder
from voiceroom_mixer.core.mix.encoding import EncoderSettings
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.result import TickResult
from voiceroom_mixer.core.mix.room_mixer import MixConfig, RoomMixer
from voiceroom_mixer.core.netem import Netem, NetemConfig
from voiceroom_mixer.core.receive.model import ReceiverStats
from voiceroom_mixer.core.receive.receiver import Receiver, ReceiverConfig, TickTime
from voiceroom_mixer.core.receive.source import Pcm

MS = 1_000_000
DTX = b"\xf8"
_START_MS = 5_000


@lru_cache(maxsize=32)
def speech(seed: int, packet_ms: int, packets: int, amplitude: float) -> tuple[bytes, ...]:
    """Opus packets of something like a voice: harmonics, syllables, pauses of near silence."""
    rng = np.random.default_rng(seed)
    samples = packet_ms * 48
    t = np.arange(packets * samples) / 48_000.0
    phase = 2 * np.pi * np.cumsum(120 + 40 * rng.random() + 9 * np.sin(2 * np.pi * 0.8 * t)) / 48e3
    voice = sum(np.sin(k * phase) / k for k in range(1, 10))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t + seed) + 0.4, 0.0, 1.0)
    pcm = amplitude * voice * syllables + 2e-4 * rng.standard_normal(len(t))
    encoder = OpusEncoder(EncoderSettings(bitrate_bps=32_000, fec=seed % 2 == 0, loss_percent=10))
    frames = np.asarray(pcm, np.float32).reshape(packets, samples)
    return tuple(encoder.encode(frame) for frame in frames)


@dataclass(frozen=True)
class Sent:
    """One packet on its way."""

    number: int
    payload: bytes
    level: int


@dataclass(frozen=True)
class Scene:
    """What happens to both rooms."""

    config: MixConfig = field(default_factory=lambda: MixConfig(talkers=3))
    senders: int = 4
    packet_ms: int = 20
    net: NetemConfig = field(default_factory=NetemConfig)
    sender_ppm: float = 0.0
    amplitude: float = 0.08
    gain_db: float = 0.0
    levels: bool = True
    seconds: float = 4.0
    change: Callable[[int, int, Sent], Sent] = lambda sender, number, sent: sent
    """Another packet in the place of this one."""
    act: Callable[[int, Room], None] = lambda tick, room: None
    """Done to each room before this tick."""


class Room:
    """One of the two."""

    def __init__(self, scene: Scene, kernels: Kernels | None) -> None:
        self.scene = scene
        self.pool = PcmPool()
        self.time = TickTime()
        self.mixer = RoomMixer(scene.config, OpusEncoder, self.pool, kernels)
        config = ReceiverConfig(20, 200, scene.config.frame_samples, scene.levels)
        self.receivers = [
            Receiver(config, LazyDecoder(OpusDecoder), i, self.time) for i in range(scene.senders)
        ]
        for slot in range(scene.senders):
            self.sender(slot)
            self.listener(slot)
        self.listener(scene.senders)

    def sender(self, slot: int, *, muted: bool = False) -> None:
        """Place a sender."""
        receiver, gain_db = self.receivers[slot], self.scene.gain_db
        name = f"p{slot}"
        self.mixer.set_source(slot, receiver, participant=name, gain_db=gain_db, muted=muted)

    def listener(self, slot: int, hears: dict[int, float] | None = None) -> None:
        """Place a listener, with gains by the sender's slot."""
        self.mixer.set_listener(slot, participant=f"p{slot}", hears=hears or {})

    def skip(self, samples: int) -> None:
        """Frames that nobody heard."""
        for receiver in self.receivers:
            if receiver.active:
                receiver.skip(samples)
        self.mixer.fade_in()

    def tick(self, now_ns: int) -> TickResult:
        """One frame."""
        self.time.now_ns = now_ns
        return self.mixer.tick(lambda: False)

    def sounds(self) -> list[Pcm]:
        """What each distinct mix's encoder was given last."""
        return [channel.stream.sound for channel in self.mixer.channels]

    def stats(self) -> list[ReceiverStats]:
        """All counters of all senders."""
        return [receiver.stats for receiver in self.receivers]


@dataclass(frozen=True)
class Step:
    """One tick of both rooms."""

    plain: TickResult
    compiled: TickResult
    difference: float
    """Largest difference of any sample of any mix."""


class Twins:
    """Runs a scene."""

    def __init__(self, scene: Scene, kernels: Kernels) -> None:
        self.scene = scene
        self.plain, self.compiled = Room(scene, None), Room(scene, kernels)
        self.links: list[Netem[Sent]] = [Netem(scene.net, 7 + i) for i in range(scene.senders)]
        self._sent = [0] * scene.senders

    def run(self) -> Iterator[Step]:
        """All ticks of the scene."""
        frame_ms = self.scene.config.frame_ms
        for tick in range(int(self.scene.seconds * 1_000 / frame_ms)):
            now_ns = (_START_MS + tick * frame_ms) * MS
            for sender in range(self.scene.senders):
                self._deliver(sender, now_ns)
            rooms = (self.plain, self.compiled)
            for room in rooms:
                self.scene.act(tick, room)
            plain, compiled = (room.tick(now_ns) for room in rooms)
            pairs = zip(self.plain.sounds(), self.compiled.sounds(), strict=True)
            apart = max((float(np.abs(a - b).max()) for a, b in pairs), default=0.0)
            yield Step(plain, compiled, apart)

    def _deliver(self, sender: int, now_ns: int) -> None:
        scene, link = self.scene, self.links[sender]
        packets = speech(sender, scene.packet_ms, 2_000 // scene.packet_ms, scene.amplitude)
        while (at_ns := self._sent_ns(sender)) <= now_ns:
            number = self._sent[sender]
            sent = Sent(number, packets[number % len(packets)], 20 + sender)
            link.send(at_ns, scene.change(sender, number, sent), 90)
            self._sent[sender] += 1
        for arrival_ns, sent in link.receive(now_ns):
            for room in (self.plain, self.compiled):
                self._push(room, sender, sent, arrival_ns)

    def _sent_ns(self, sender: int) -> int:
        """When the sender's clock sends its next packet."""
        true_ms = self._sent[sender] * self.scene.packet_ms / (1 + self.scene.sender_ppm * 1e-6)
        return int((_START_MS + 3.1 * sender + true_ms) * MS)

    def _push(self, room: Room, sender: int, sent: Sent, arrival_ns: int) -> None:
        stamp = 4_000 + sent.number * self.scene.packet_ms * 48
        room.receivers[sender].push(
            1_000 + sender,
            (100 + sent.number) & 0xFFFF,
            stamp & 0xFFFF_FFFF,
            sent.payload,
            sent.level if self.scene.levels else -1,
            sent.level < 60,
            arrival_ns,
        )
