"""Tones: made, and found again in what somebody hears."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 48_000


def tone(hz: float, first_sample: int, samples: int, dbfs: float = -12.0) -> NDArray[np.float32]:
    """A sine of ``hz`` that goes on from one call to the next by its sample number."""
    n = first_sample + np.arange(samples)
    wave = 10 ** (dbfs / 20) * np.sin(2 * np.pi * hz * n / RATE)
    return wave.astype(np.float32)


def level_db(pcm: NDArray[np.float32], hz: float) -> float:
    """Level of the component at ``hz`` in dBFS (a full-scale sine is 0), by correlation."""
    n = np.arange(len(pcm))
    window = np.hanning(len(pcm))
    component = np.sum(window * pcm * np.exp(-2j * np.pi * hz * n / RATE)) * 2 / window.sum()
    return float(20 * np.log10(max(abs(component), 1e-9)))
