"""Strengths of faults, drawn from the seed."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from voiceroom_api.units import NS_PER_MS

Draw: TypeAlias = np.random.Generator


def between(draw: Draw, low_ms: float, high_ms: float) -> int:
    """Nanoseconds, evenly on a logarithmic scale: weak faults are the hard ones."""
    return int(np.exp(draw.uniform(np.log(low_ms), np.log(high_ms))) * NS_PER_MS)


def signed(draw: Draw, low_ms: float, high_ms: float) -> int:
    """The same, to either side."""
    return between(draw, low_ms, high_ms) * int(draw.choice((-1, 1)))
