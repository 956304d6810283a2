"""The same for alerts about the breaker and the ladder."""

from __future__ import annotations

from typing import Final

from harness.alertcases import DURING, MIXER, NEVER, TARGET, Case, Round, Series

_SERVES: Final = Series("voiceroom_ready", TARGET, (1,), (1,))
_STARTS: Final = Series("voiceroom_ready", TARGET, NEVER, (1,))


def _breaker(ill: Round) -> tuple[Series, ...]:
    return (Series("voiceroom_breaker_state", TARGET, (0,), ill), _SERVES)


def _ladder(ill: Round) -> tuple[Series, ...]:
    return (Series("voiceroom_ladder_level", TARGET, (0,), ill), _SERVES)


def _starting(name: str, value: float) -> tuple[Series, ...]:
    """A pod whose first minute is bad, as it is where two that start share a CPU."""
    first = (*(value,) * 4, *(0.0,) * (DURING - 4))
    return (Series(name, TARGET, NEVER, first), _STARTS)


DEFENCES: Final = (
    Case(
        "VoiceroomBreakerOpen",
        MIXER,
        _breaker((2,)),
        (
            _breaker((2, 1, 0, 0)),
            _breaker((0, 0, 2)),
            _starting("voiceroom_breaker_state", 2),
        ),
    ),
    Case("VoiceroomBreakerOpen", MIXER, _breaker((2, 2, 0, 2, 1)), ()),
    Case(
        "VoiceroomPressed",
        MIXER,
        _ladder((1,)),
        (_ladder((*(1,) * 20, *(0,) * 4)), _starting("voiceroom_ladder_level", 1)),
    ),
    Case(
        "VoiceroomSoundReduced",
        MIXER,
        _ladder((3, 2)),
        (_ladder((1,)), _ladder((*(3,) * 7, 1)), _starting("voiceroom_ladder_level", 3)),
    ),
    Case(
        "VoiceroomSoundCut",
        MIXER,
        _ladder((5, 4)),
        (_ladder((3,)), _ladder((5, 5, 5, 3)), _starting("voiceroom_ladder_level", 5)),
    ),
)
