"""Comfort noise: a soft hiss at the level of the silence that it stands for."""

from __future__ import annotations

from typing import Final

import numpy as np

from voiceroom_api.units import SAMPLE_RATE, SILENT_LEVEL
from voiceroom_mixer.core.receive.source import Pcm

_LOOP_SAMPLES: Final = 1 << 17
"""2.7 s: long enough that its repetition is not heard."""
_LOOP_SEED: Final = 6464
_CORNER_HZ: Final = 1_000.0


def _make_loop() -> Pcm:
    """Noise of mean square 1, falling 6 dB an octave above the corner; it joins its own start."""
    white = np.random.default_rng(_LOOP_SEED).standard_normal(_LOOP_SAMPLES)
    frequency = np.fft.rfftfreq(_LOOP_SAMPLES, 1.0 / SAMPLE_RATE)
    spectrum = np.fft.rfft(white) / np.sqrt(1.0 + (frequency / _CORNER_HZ) ** 2)
    spectrum[0] = 0.0
    shaped = np.fft.irfft(spectrum, _LOOP_SAMPLES)
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)), np.float32)


_LOOP: Final = _make_loop()


class ComfortNoise:
    """One sender's noise. Senders differ by ``seed``, so that two of them do not add up."""

    def __init__(self, seed: int) -> None:
        self._at = int(np.random.default_rng(seed).integers(_LOOP_SAMPLES))
        self._gain = 0.0

    def fill(self, out: Pcm, level: int) -> None:
        """Fill ``out`` at ``level`` (-dBov, 127 = silent); a new level is reached within ``out``.

        The first frame after ``reset`` fades in.
        """
        target = 0.0 if level >= SILENT_LEVEL else 10.0 ** (-level / 20.0)
        self._read(out)
        if target == self._gain:
            out *= np.float32(target)
        else:
            out *= np.linspace(self._gain, target, len(out), dtype=np.float32)
        self._gain = target

    def reset(self) -> None:
        """Begin from silence again."""
        self._gain = 0.0

    def _read(self, out: Pcm) -> None:
        first = min(len(out), _LOOP_SAMPLES - self._at)
        out[:first] = _LOOP[self._at : self._at + first]
        out[first:] = _LOOP[: len(out) - first]
        self._at = (self._at + len(out)) % _LOOP_SAMPLES
