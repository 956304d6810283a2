"""A room whose packets are plain PCM: what each listener hears can be compared to the bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fakes import arithmetic
from fakes.sources import ScriptedSource, tone
from voiceroom_mixer.codec.pcm import PcmDecoder, PcmEncoder
from voiceroom_mixer.core.mix.encoding import EncoderSettings
from voiceroom_mixer.core.mix.pool import PcmPool
from voiceroom_mixer.core.mix.result import MixOutput, TickResult
from voiceroom_mixer.core.mix.room_mixer import MixConfig, RoomMixer
from voiceroom_mixer.core.receive.source import Pcm

HZ = (300.0, 500.0, 700.0, 1_100.0, 1_300.0, 1_700.0)


def in_time() -> bool:
    """Never late."""
    return False


class CountingEncoder(PcmEncoder):
    """Keeps the settings and the frames that it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = EncoderSettings()
        self.independent: list[bool] = []
        self.closed = False

    def configure(self, settings: EncoderSettings) -> None:
        """Only remembered: FEC would make the packets longer."""
        self.settings = settings

    def encode(self, pcm: Pcm, *, independent: bool = False) -> bytes:
        """As it is; remembers whether it was asked to predict nothing."""
        self.independent.append(independent)
        return super().encode(pcm, independent=independent)

    def close(self) -> None:
        """Remembered."""
        self.closed = True


class Room:
    """A mixer with a listener's ear: ``heard[slot]`` grows by one frame with every tick."""

    def __init__(self, config: MixConfig | None = None) -> None:
        self.config = config or MixConfig(dtx=False)
        self.pool = PcmPool()
        self.encoders: list[CountingEncoder] = []
        self.mixer = RoomMixer(self.config, self._make_encoder, self.pool, arithmetic.chosen)
        self.heard: dict[int, list[Pcm]] = {}
        self._decoder = PcmDecoder()

    def _make_encoder(self) -> CountingEncoder:
        self.encoders.append(CountingEncoder())
        return self.encoders[-1]

    def tick(self, late: Callable[[], bool] = in_time) -> TickResult:
        """One frame; every slot must be served exactly once."""
        result = self.mixer.tick(late)
        slots = [slot for output in result.outputs for slot in output.slots.tolist()]
        assert len(slots) == len(set(slots))
        for output in result.outputs:
            frame = self._decode(output.payload)
            for slot in output.slots.tolist():
                self.heard.setdefault(slot, []).append(frame)
        return result

    def run(self, ticks: int) -> TickResult:
        """Some frames; the last result."""
        for _ in range(ticks):
            result = self.tick()
        return result

    def sound(self, slot: int) -> Pcm:
        """All that a listener has heard."""
        return np.concatenate(self.heard[slot])

    def _decode(self, payload: bytes | None) -> Pcm:
        if payload is None:
            return np.zeros(self.config.frame_samples, np.float32)
        return self._decoder.decode(payload)


def output_for(result: TickResult, slot: int) -> MixOutput:
    """What a listener gets."""
    return next(output for output in result.outputs if slot in output.slots.tolist())


def strength(pcm: Pcm, hz: float) -> float:
    """Amplitude of a sine of this frequency in ``pcm``."""
    turn = np.exp(-2j * np.pi * hz * np.arange(len(pcm)) / 48_000.0)
    return float(2.0 * np.abs(np.mean(pcm * turn)))


def person(
    room: Room,
    slot: int,
    source: ScriptedSource | None = None,
    *,
    participant: str = "",
    hears: dict[int, float] | None = None,
    gain_db: float = 0.0,
) -> None:
    """Somebody who listens, and talks when there is a source."""
    who = participant or f"p{slot}"
    room.mixer.set_listener(slot, participant=who, hears=hears or {}, loss_ppm=0)
    if source is not None:
        room.mixer.set_source(slot, source, participant=who, gain_db=gain_db, muted=False)


def talking_room(talkers: int, listeners: int, config: MixConfig | None = None) -> Room:
    """Slots 0.. talk, each with a tone of his own, and those behind them listen."""
    room = Room(config)
    for slot in range(talkers):
        person(room, slot, tone(HZ[slot], 0.1, level=23))
    for slot in range(talkers, talkers + listeners):
        person(room, slot)
    return room


def biggest_step(sound: Pcm) -> float:
    """From one sample to the next."""
    return float(np.abs(np.diff(sound)).max())


def steady_step(amplitude: float, hz: float) -> float:
    """The steepest of a tone itself."""
    return 2 * np.pi * hz / 48_000 * amplitude
