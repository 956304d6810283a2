"""Tones: WAV files for fake microphones, and measuring them in what a browser plays."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from harness.tones import RATE, tone

SECONDS: Final = 10
"""Length of a file; a browser plays it in a loop, and whole periods make the seam inaudible."""

Pcm = NDArray[np.float64]
"""Mono samples in -1..1 at ``RATE``."""


def write_tone(path: Path, hz: int, seconds: int = SECONDS) -> Path:
    """A 16-bit mono WAV file of a tone; ``hz`` is whole, so that it loops without a click."""
    samples = (tone(hz, 0, RATE * seconds) * 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
    return path


def from_int16(raw: bytes) -> Pcm:
    """Little-endian 16-bit samples as ``Pcm``."""
    return np.frombuffer(raw, dtype="<i2").astype(np.float64) / 32768


def rms_db(pcm: Pcm) -> float:
    """Level in dB, 0 for a full-scale square wave; -120 for silence."""
    if not len(pcm):
        return -120.0
    return float(10 * np.log10(np.mean(np.square(pcm)) + 1e-12))


def tone_db(pcm: Pcm, hz: float, width_hz: float = 12.0) -> float:
    """Level in dB of what lies within ``width_hz`` of ``hz``; -120 for nothing.

    A Hann window and a band, not a single bin: a sound that was resampled for clock skew, or
    captured with a seam, is still the same tone.
    """
    if not len(pcm):
        return -120.0
    window = np.hanning(len(pcm))
    power = np.square(np.abs(np.fft.rfft(pcm * window))) * 2 / (len(pcm) * np.square(window).sum())
    frequencies = np.fft.rfftfreq(len(pcm), 1 / RATE)
    return float(10 * np.log10(power[np.abs(frequencies - hz) <= width_hz].sum() + 1e-12))


def quietest_db(pcm: Pcm, block_ms: int = 20) -> float:
    """Level in dB of the quietest of all blocks that lie in a row: a drop-out shows here."""
    size = RATE * block_ms // 1000
    blocks = pcm[: len(pcm) // size * size].reshape(-1, size)
    if not len(blocks):
        return -120.0
    return float(10 * np.log10(np.mean(np.square(blocks), axis=1).min() + 1e-12))
