"""What is heard while nothing comes: concealment, then comfort noise, then silence."""

from __future__ import annotations

from typing import Final

import numpy as np

from voiceroom_api.units import SAMPLES_PER_MS, SILENT_LEVEL
from voiceroom_mixer.core.mix.noise import ComfortNoise
from voiceroom_mixer.core.receive.decoder import Decoder
from voiceroom_mixer.core.receive.source import FrameKind, Pcm

PLC_SAMPLES: Final = 100 * SAMPLES_PER_MS
"""Longer concealment sounds like a robot."""
PLC_STEP_SAMPLES: Final = 10 * SAMPLES_PER_MS
NOISE_SAMPLES: Final = 1_000 * SAMPLES_PER_MS
"""From the beginning of the gap; silence behind it."""
NOISE_FLOOR: Final = 50
"""Comfort noise is never louder than -50 dBov."""
START_LEVEL: Final = 70.0
RISE_DB: Final = 0.05
"""How much louder the background may become with each packet: 2.5 dB a second."""
QUANTUM: Final = 120
"""2.5 ms: what a decoder conceals is a multiple of it."""


class Concealer:
    """The ladder of one gap; ``resume`` when real sound is back."""

    def __init__(self, decoder: Decoder, seed: int) -> None:
        self._decoder = decoder
        self._noise = ComfortNoise(seed)
        self._background = START_LEVEL
        self.run = 0
        """Samples concealed since the last packet that was played."""

    def resume(self, level: int) -> None:
        """Real sound of ``level`` (-dBov): the quietest of it is the background."""
        self._background = max(float(level), self._background - RISE_DB)
        self.run = 0

    @property
    def exhausted(self) -> bool:
        """Only silence is left."""
        return self.run >= NOISE_SAMPLES

    def fill(self, samples: int, packet_samples: int) -> tuple[Pcm, FrameKind]:
        """The next ``samples``; a little more or fewer may come back, never none.

        What the decoder conceals is given out whole, as it goes on from its end, and is made by
        10 ms: Opus in its speech modes makes so much at least, and would throw the rest away.
        """
        begun = self.run
        if begun < PLC_SAMPLES:
            step = max(QUANTUM, min(packet_samples // QUANTUM * QUANTUM, PLC_STEP_SAMPLES))
            count = -(-min(samples, PLC_SAMPLES - begun) // step) * step
            self.run += count
            return self._decoder.plc(count), FrameKind.PLC
        self.run += samples
        out = np.zeros(samples, np.float32)
        if begun >= NOISE_SAMPLES:
            return out, FrameKind.SILENCE
        if begun < PLC_SAMPLES + samples:
            self._noise.reset()
        fading = NOISE_SAMPLES - begun < 2 * samples
        level = max(round(self._background), NOISE_FLOOR)
        self._noise.fill(out, SILENT_LEVEL if fading else level)
        return out, FrameKind.NOISE
