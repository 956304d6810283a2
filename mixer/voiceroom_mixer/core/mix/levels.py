"""Loudness as RFC 6464 states it: -dBov, an integer from 0 (loudest) to 127 (digital silence)."""

from __future__ import annotations

from math import inf, log10
from typing import Final

import numpy as np

from voiceroom_api.units import SILENT_LEVEL
from voiceroom_mixer.core.receive.source import Pcm

SILENCE_GATE: Final = 60
"""At or below -60 dBov a sender is silent, unless it says itself that this is voice."""
WAKE_GATE: Final = 57
"""Who is silent stays so until -57 dBov: noise at the gate itself is a level to either side of it,
and would wake a decoder every few seconds."""


def mean_square(pcm: Pcm) -> float:
    """Mean of the squares, 1.0 for a full-scale square wave; not finite when a sample is not."""
    return float(np.dot(pcm, pcm)) / max(1, len(pcm))


def level_of(power: float) -> int:
    """-dBov of a mean square (a full-scale sine is 3, RFC 6464 §3); silence when not finite."""
    if not 0.0 < power < inf:
        return SILENT_LEVEL
    return min(max(round(-10.0 * log10(power)), 0), SILENT_LEVEL)


def level_dbov(pcm: Pcm) -> int:
    """-dBov of a frame in -1..1."""
    return level_of(mean_square(pcm))


def is_silent(level: int, *, voice: bool = False) -> bool:
    """Whether a sender at ``level`` is taken for silent; ``voice`` is its own V bit."""
    return level >= SILENT_LEVEL or (level >= SILENCE_GATE and not voice)


def is_faint(level: int, *, voice: bool = False) -> bool:
    """Whether a sender who is silent stays so at ``level``."""
    return level > WAKE_GATE and (not voice or level >= SILENT_LEVEL)
