"""Where sound has to join at a seam, the step is spread over 5 ms."""

from __future__ import annotations

from typing import Final

import numpy as np

from voiceroom_api.units import SAMPLES_PER_MS
from voiceroom_mixer.core.receive.source import Pcm

SEAM_SAMPLES: Final = 5 * SAMPLES_PER_MS


def _ramp(samples: int) -> Pcm:
    """From 1 towards 0."""
    return np.linspace(1.0, 0.0, samples, endpoint=False, dtype=np.float32)


_RAMP: Final = _ramp(SEAM_SAMPLES)


class Seam:
    """The end of the sound so far, and whether what comes next goes on from it."""

    __slots__ = ("last", "open")

    def __init__(self) -> None:
        self.open = False
        """What comes next does not go on from ``last`` by itself."""
        self.last = np.float32(0.0)

    def after_silence(self) -> None:
        """What comes next begins from nothing."""
        self.open, self.last = True, np.float32(0.0)

    def closed_at(self, last: float) -> None:
        """Sound was joined elsewhere, and ended at ``last``."""
        self.open, self.last = False, np.float32(last)

    def join(self, pcm: Pcm) -> Pcm:
        """``pcm``, or a copy of it that begins where the sound so far ends."""
        if self.open:
            self.open = False
            span = min(SEAM_SAMPLES, len(pcm))
            step = self.last - pcm[0]
            pcm = pcm.copy()
            pcm[:span] += step * (_RAMP if span == SEAM_SAMPLES else _ramp(span))
        self.last = pcm[-1]
        return pcm
