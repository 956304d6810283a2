"""Tones: made, and found again in what somebody hears."""

from __future__ import annotations

from typing import Final

import numpy as np

from voiceroom_api.units import SAMPLE_RATE
from voiceroom_mixer.core.receive.source import Pcm

TONE_DBFS: Final = -12.0
SILENT_DBFS: Final = -120.0


def tone(hz: float, first_sample: int, samples: int) -> Pcm:
    """A sine that goes on from one call to the next by its sample number; peak ``TONE_DBFS``."""
    n = first_sample + np.arange(samples)
    wave = 10 ** (TONE_DBFS / 20) * np.sin(2 * np.pi * hz * n / SAMPLE_RATE)
    return wave.astype(np.float32)


def level_dbfs(pcm: Pcm, hz: float) -> float:
    """Level of the component at ``hz`` (a full-scale sine is 0), by correlation under a window."""
    if len(pcm) == 0:
        return SILENT_DBFS
    n = np.arange(len(pcm))
    window = np.hanning(len(pcm))
    turning = np.exp(-2j * np.pi * hz * n / SAMPLE_RATE)
    component = np.sum(window * pcm * turning) * 2 / window.sum()
    return float(20 * np.log10(max(abs(component), 10 ** (SILENT_DBFS / 20))))
