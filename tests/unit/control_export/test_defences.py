"""What is told of the breaker: of several media processes the worst."""

from __future__ import annotations

import pytest

from fakes.door import segment
from voiceroom_mixer.control.export import defences
from voiceroom_mixer.core.defend.breaker import Breaker
from voiceroom_mixer.core.state import stats


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ((Breaker.CLOSED, Breaker.CLOSED), "closed"),
        ((Breaker.HALF_OPEN, Breaker.CLOSED), "half-open"),
        ((Breaker.HALF_OPEN, Breaker.OPEN), "open"),
    ],
)
def test_the_worst_breaker_of_a_pod_is_told(states: tuple[Breaker, ...], said: str) -> None:
    segments = [segment() for _ in states]
    for one, state in zip(segments, states, strict=True):
        one.counters[stats.INDEX["breaker_state"]] = state
    assert defences.breaker(segments) == said
