"""How far the resampler leans, to bring depth to the target unheard."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import SAMPLES_PER_MS

CORRECTION_PPM_PER_MS: Final = 40.0
MAX_CORRECTION_PPM: Final = 350.0
LEAN_FREE_MS: Final = 1.5
"""Depth this near to the target needs no resampling: unresampled sound is bit-exact, and cheap."""
_LEAN_FREE_SAMPLES: Final = LEAN_FREE_MS * SAMPLES_PER_MS
STEADY_PPM: Final = 8.0
"""Smaller skews, and smaller changes of the ratio, are not followed."""


def lean_ppm(excess: int, skew_ppm: float, now_ppm: float) -> float:
    """The wanted ratio for ``excess`` samples of delay too many; ``now_ppm`` if that will do."""
    wanted = _correction_ppm(excess / SAMPLES_PER_MS) if abs(excess) > _LEAN_FREE_SAMPLES else 0.0
    if abs(skew_ppm) >= STEADY_PPM:
        wanted += skew_ppm
    return wanted if abs(wanted - now_ppm) > STEADY_PPM else now_ppm


def _correction_ppm(excess_ms: float) -> float:
    """How much faster to play for that much delay too many, which is over ``LEAN_FREE_MS``."""
    beyond = excess_ms - LEAN_FREE_MS if excess_ms > 0 else excess_ms + LEAN_FREE_MS
    return min(max(beyond * CORRECTION_PPM_PER_MS, -MAX_CORRECTION_PPM), MAX_CORRECTION_PPM)
