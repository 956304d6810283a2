"""How a measured quantity is spread, and whether a sum of it grows by a line or a parabola."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_MAD_TO_SIGMA: Final = 1.4826
"""Of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of one quantity; the unit is the caller's."""

    count: int
    mean: float
    std: float
    min: float
    p50: float
    p99: float
    max: float


def spread(values: ArrayLike) -> Spread:
    """Of at least one value. Raises ``ValueError`` for none."""
    data = np.asarray(values, np.float64)
    if not data.size:
        raise ValueError("nothing was measured: a spread needs at least one value")
    p50, p99 = (float(x) for x in np.percentile(data, (50, 99)))
    return Spread(
        data.size, float(data.mean()), float(data.std()), float(data.min()), p50, p99,
        float(data.max()),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Growth:
    """A series against its index, by least squares: ``a + b n`` beside ``a + b n + c n^2``."""

    per_step: float
    """``b`` of the line."""
    linear_r2: float
    quadratic_r2: float
    halves: float
    """The median step of the second half against that of the first: 1 is a line, 3 a parabola from
    nothing. A stall, which is one step, does not move it."""


def growth(values: ArrayLike) -> Growth:
    """Of at least four values. Raises ``ValueError`` for fewer."""
    data = np.asarray(values, np.float64)
    if data.size < 4:
        raise ValueError(f"a growth needs at least 4 values, not {data.size}")
    n = np.arange(data.size, dtype=np.float64)
    line, parabola = np.polyfit(n, data, 1), np.polyfit(n, data, 2)
    steps = np.diff(data)
    first, second = (float(np.median(half)) for half in np.array_split(steps, 2))
    return Growth(
        float(line[0]),
        r_squared(data, np.polyval(line, n)),
        r_squared(data, np.polyval(parabola, n)),
        second / first if first else float("inf"),
    )


def r_squared(data: Floats, fitted: NDArray[np.floating[Any]]) -> float:
    """The share of the variance that a fit explains; 1 for data that do not vary."""
    total = float(((data - data.mean()) ** 2).sum())
    return 1.0 - float(((data - fitted) ** 2).sum()) / total if total else 1.0


def robust_limit(values: ArrayLike, sigmas: float) -> float:
    """The median and so many standard deviations, taken from the median deviation: what a few
    great outliers do not move."""
    data = np.asarray(values, np.float64)
    middle = float(np.median(data))
    return middle + sigmas * _MAD_TO_SIGMA * float(np.median(np.abs(data - middle)))
