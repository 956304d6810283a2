"""How far the resampler leans, to bring depth to the target unheard."""

from __future__ import annotations

from typing import Final

from voiceroom_api.units import SAMPLES_PER_MS

CORRECTION_PPM_PER_MS: Final = 40.0
MAX_CORRECTION_PPM: Final = 350.0
LEAN_FREE_MS: Final = 1.5
"""Depth this near to the target needs no resampling: unresampled sound is bit-exact, and cheap."""
TIGHT_FREE_MS: Final = 0.5
"""The same for a sender whose packets come irregularly: he is resampled mostly as it is."""
STEADY_PPM: Final = 8.0
"""Smaller skews, and smaller changes of the ratio, are not followed."""


def lean_ppm(excess: int, skew_ppm: float, now_ppm: float, *, tight: bool = False) -> float:
    """The wanted ratio for ``excess`` samples of delay too many; ``now_ppm`` if that will do."""
    free_ms, excess_ms = TIGHT_FREE_MS if tight else LEAN_FREE_MS, excess / SAMPLES_PER_MS
    wanted = _correction_ppm(excess_ms, free_ms) if abs(excess_ms) > free_ms else 0.0
    if abs(skew_ppm) >= STEADY_PPM:
        wanted += skew_ppm
    return wanted if abs(wanted - now_ppm) > STEADY_PPM else now_ppm


def _correction_ppm(excess_ms: float, free_ms: float) -> float:
    """How much faster to play for that much delay too many, which is over ``free_ms``."""
    beyond = excess_ms - free_ms if excess_ms > 0 else excess_ms + free_ms
    return min(max(beyond * CORRECTION_PPM_PER_MS, -MAX_CORRECTION_PPM), MAX_CORRECTION_PPM)
