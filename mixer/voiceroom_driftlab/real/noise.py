"""Neighbours on the pod's CPU that compute now and then: no fault of a pod or of a node."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.real.spinner import Spinner
from voiceroom_mixer.edge import clock


class Burst(NamedTuple):
    """Compute for ``ms`` after a rest of ``rest_ms``."""

    rest_ms: float
    ms: float


def bursts(seed: int, minutes: float) -> Iterator[Burst]:
    """Three short ones a second, in every twentieth second one of 60 to 300 ms, and twice a minute
    a job of 1 to 3 s."""
    draw = np.random.default_rng([seed, 98])
    left_ms = minutes * 60_000
    while left_ms > 0:
        rest, chance = float(draw.exponential(320.0)), draw.random()
        ms = float(draw.uniform(0.5, 6.0))
        if chance < 0.01:
            ms = float(draw.uniform(1_000, 3_000))
        elif chance < 0.027:
            ms = float(draw.uniform(60, 300))
        rest = min(rest, left_ms)
        burst = Burst(rest, min(ms, left_ms - rest))
        left_ms -= burst.rest_ms + burst.ms
        yield burst


def disturb(neighbours: Sequence[Spinner], seed: int, minutes: float) -> float:
    """Have them compute for so long, all at once; the minutes that this took by the clock."""
    begun_ns = clock.monotonic_ns()
    until_ns = begun_ns + int(minutes * 60 * NS_PER_S)
    for burst in bursts(seed, minutes):
        clock.sleep_until(clock.monotonic_ns() + int(burst.rest_ms * NS_PER_MS))
        for neighbour in neighbours:
            neighbour.begin(burst.ms)
        for neighbour in neighbours:
            neighbour.done()
        if clock.monotonic_ns() >= until_ns:
            break
    return (clock.monotonic_ns() - begun_ns) / (60 * NS_PER_S)
