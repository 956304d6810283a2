"""A resistant slope over few points, cheap enough for the time that a tick leaves."""

from __future__ import annotations

from collections.abc import Sequence


def slope_ppm(points: Sequence[tuple[int, int]]) -> float:
    """Tukey's resistant line through (x, y) of equal units, in ppm; 0 with fewer than four points.

    The medians of the first and of the last third: one bad point in each moves nothing.
    """
    third = min(3, (len(points) + 1) // 3)
    if len(points) < 4:
        return 0.0
    first, last = sorted(points[:third], key=_y), sorted(points[-third:], key=_y)
    middle = third // 2
    x_first = sum(x for x, _ in first) / third
    x_last = sum(x for x, _ in last) / third
    if x_last <= x_first:
        return 0.0
    return (last[middle][1] - first[middle][1]) / (x_last - x_first) * 1e6


def _y(point: tuple[int, int]) -> int:
    return point[1]
