"""The sum: every distinct mix of a frame in one product of gains and talkers.

Each mix is summed from the talkers that are in it; nothing is ever subtracted. A gain of exactly
zero adds exactly nothing, so a talker's own voice is absent from his mix to the last bit.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Gains = NDArray[np.float32]
"""Linear gains, shape (mixes, talkers)."""
Frames = NDArray[np.float32]
"""Sound, shape (mixes or talkers, samples)."""


@lru_cache(maxsize=8)
def fall(samples: int) -> NDArray[np.float32]:
    """From 1 to 0 over a frame, as half a cosine: no corner at either end."""
    phase = (np.arange(samples) + 0.5) * (np.pi / samples)
    return np.asarray(0.5 + 0.5 * np.cos(phase), np.float32)


def mix(frames: Frames, before: Gains, after: Gains) -> Frames:
    """Sum ``frames`` (talkers, samples) into (mixes, samples).

    Gains go from ``before`` at the start of the frame to ``after`` at its end.
    """
    total: Frames = after @ frames
    change = before - after
    rows = change.any(axis=1)
    if rows.any():
        total[rows] += (change[rows] @ frames) * fall(frames.shape[1])
    return total


def peaks(frames: Frames) -> NDArray[np.float32]:
    """Largest magnitude of each row."""
    return np.asarray(np.maximum(frames.max(axis=1), -frames.min(axis=1)))
