"""A look-ahead peak limiter: no wrap, no clip, and below the ceiling nothing but a short delay.

Everything is computed for a whole frame at once, as reduction: 0 leaves a sample as it is, 0.5
halves it. Each input sample asks for the reduction that brings it under the ceiling; the largest
request of the last ``WINDOW`` samples, released exponentially, is averaged over ``WINDOW``
samples. The sample that leaves is older than all of them by the look-ahead, so every averaged
value is at least what it asked for: the ceiling holds exactly, and the gain never jumps.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from voiceroom_mixer.core.receive.source import Pcm

CEILING_DB: Final = -0.3
CEILING: Final = 10.0 ** (CEILING_DB / 20.0)
AIM: Final = CEILING * (1.0 - 1e-6)
"""Where peaks are brought to: rounding to float32 must not lift one over the ceiling."""
WINDOW: Final = 64
DELAY_SAMPLES: Final = WINDOW - 1
"""Look-ahead, 1.3 ms."""
RELEASE_SAMPLES: Final = 3_360
"""Time constant of the release, 70 ms."""

_INAUDIBLE: Final = 1e-5
_DOUBLINGS: Final = tuple(1 << i for i in range(WINDOW.bit_length() - 1))

_STATE_WORDS: Final = 2 * DELAY_SAMPLES + (DELAY_SAMPLES + 1) // 2

Reduction = NDArray[np.float64]


class Limiter:
    """One mix's limiter. ``process`` delays by ``DELAY_SAMPLES``."""

    def __init__(self) -> None:
        memory = np.zeros(_STATE_WORDS)
        self.address = memory.ctypes.data
        """Of the whole state, for a kernel: ``asked``, ``held``, ``delayed``, then ``resting``."""
        self._asked: Reduction = memory[:DELAY_SAMPLES]
        self._held: Reduction = memory[DELAY_SAMPLES : 2 * DELAY_SAMPLES]
        tail = memory[2 * DELAY_SAMPLES :].view(np.float32)
        self._delayed: Pcm = tail[:DELAY_SAMPLES]
        self._resting = tail[DELAY_SAMPLES:].view(np.int32)
        self._rest()

    def reset(self) -> None:
        """Forget all sound."""
        self._delayed[:] = 0.0
        self._rest()

    def continue_from(self, other: Limiter) -> None:
        """Take over another mix's state, so that its listeners hear no seam."""
        self._delayed[:] = other._delayed
        self._asked[:] = other._asked
        self._held[:] = other._held
        self._resting[:] = other._resting

    def process(self, frame: Pcm, out: Pcm, peak: float) -> None:
        """The delayed and limited ``frame`` into ``out``; both at least ``WINDOW`` samples.

        ``peak``: largest magnitude in ``frame``, which the caller knows for all mixes at once.
        """
        if self._resting[0] and peak <= CEILING:
            self._delay(frame, out)
            return
        held = self._reduction(frame)
        self._delay(frame, out)
        out *= 1.0 - _averages(self._held, held)
        self._held[:] = held[-DELAY_SAMPLES:]
        if self._held.max() < _INAUDIBLE and not self._asked.any():
            self._rest()

    def _delay(self, frame: Pcm, out: Pcm) -> None:
        out[:DELAY_SAMPLES] = self._delayed
        out[DELAY_SAMPLES:] = frame[:-DELAY_SAMPLES]
        self._delayed[:] = frame[-DELAY_SAMPLES:]

    def _rest(self) -> None:
        self._asked[:] = self._held[:] = 0.0
        self._resting[0] = 1

    def _reduction(self, frame: Pcm) -> Reduction:
        """What each sample's window asks for, with release."""
        self._resting[0] = 0
        asked = 1.0 - AIM / np.maximum(np.abs(frame), AIM, dtype=np.float64)
        asked = np.concatenate([self._asked, asked])
        self._asked[:] = asked[-DELAY_SAMPLES:]
        return _release(_window_maximum(asked), float(self._held[-1]))


def _window_maximum(values: Reduction) -> Reduction:
    """Maximum over ``WINDOW`` values, by doubling; shape (n,) from (n + WINDOW - 1,)."""
    for step in _DOUBLINGS:
        values = np.maximum(values[step:], values[:-step])
    return values


@lru_cache(maxsize=8)
def _decay(samples: int) -> Reduction:
    return np.asarray(np.exp(-np.arange(1, samples + 1) / RELEASE_SAMPLES))


def _release(asked: Reduction, last: float) -> Reduction:
    """Rises at once, falls with the release time: max over k of asked[k] * decay^(n - k)."""
    decay = _decay(len(asked))
    held = asked / decay
    np.maximum.accumulate(held, out=held)
    np.maximum(held, last, out=held)
    held *= decay
    # Rounding in the division above may fall short of what was asked for by one bit.
    return np.maximum(held, asked, out=held)


def _averages(before: Reduction, held: Reduction) -> Reduction:
    """Mean of the last ``WINDOW`` values at each of ``held``."""
    total = np.cumsum(np.concatenate([[0.0], before, held]))
    return np.asarray((total[WINDOW:] - total[:-WINDOW]) / WINDOW)
