"""Control's own counts, by declared metric; the media processes' stand in the segments."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Final

from voiceroom_api.metric import Metric
from voiceroom_api.metrics import BY_NAME, METRICS

MAX_SERIES: Final = 512
"""Of one metric; label values beyond it are counted as ``other``."""

ROOM_SERIES: Final = 100
"""Rooms with a series of their own; the others are summed as room="other"."""
OTHER: Final = "other"

Infos = Mapping[str, Sequence[Mapping[str, str]]]
"""Label sets of the info metrics, by metric name."""
Labels = tuple[str, ...]
"""Values in the order of the metric's declared labels."""


class Histogram:
    """Buckets (not cumulative, overflow last) and the sum, in the metric's unit."""

    __slots__ = ("buckets", "edges", "sum")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self.edges = edges
        self.buckets = [0] * (len(edges) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self.buckets[bisect_left(self.edges, value)] += 1
        self.sum += value


class Numbers:
    """Counters, gauges and histograms of the control process; one thread, no lock."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Labels, float]] = {}
        self._histograms: dict[str, dict[Labels, Histogram]] = {}
        for metric in METRICS:
            if metric.kind in ("counter", "gauge"):
                self._values[metric.name] = dict.fromkeys(_known_labels(metric), 0.0)
            elif metric.kind == "histogram":
                self._histograms[metric.name] = {
                    labels: Histogram(metric.buckets) for labels in _known_labels(metric)
                }

    def count(self, metric: str, by: float = 1.0, **labels: str) -> None:
        """Add to a counter. Raises ``KeyError`` for a metric or label that is not declared."""
        series = self._values[metric]
        key = _key(metric, labels, series)
        series[key] = series.get(key, 0.0) + by

    def set(self, metric: str, value: float, **labels: str) -> None:
        """Set a gauge, or a counter that is kept elsewhere."""
        series = self._values[metric]
        series[_key(metric, labels, series)] = value

    def observe(self, metric: str, value: float, **labels: str) -> None:
        """Count a value in a histogram, in its unit."""
        series = self._histograms[metric]
        key = _key(metric, labels, series)
        if key not in series:
            series[key] = Histogram(BY_NAME[metric].buckets)
        series[key].observe(value)

    def replace(self, metric: str, buckets: Sequence[int], total: float) -> None:
        """Set a histogram without labels that is kept elsewhere. ``buckets``: not cumulative."""
        histogram = self._histograms[metric][()]
        histogram.buckets, histogram.sum = list(buckets), total

    def clear(self, metric: str) -> None:
        """Drop all series of a gauge, before it is set anew."""
        self._values[metric].clear()

    def values(self, metric: str) -> Mapping[Labels, float]:
        """The series of a counter or gauge."""
        return self._values[metric]

    def histograms(self, metric: str) -> Mapping[Labels, Histogram]:
        """The series of a histogram."""
        return self._histograms[metric]


def _known_labels(metric: Metric) -> Iterator[Labels]:
    """Every label set whose values are declared, so that it is exported as 0 from the start."""
    if all(label in metric.values for label in metric.labels):
        yield from product(*(metric.values[label] for label in metric.labels))


def _key(metric: str, labels: Mapping[str, str], series: Mapping[Labels, object]) -> Labels:
    names = BY_NAME[metric].labels
    if len(names) != len(labels):
        raise KeyError(f"{metric} has the labels {names}, got {tuple(labels)}")
    key = tuple(labels[name] for name in names)
    if key in series or len(series) < MAX_SERIES:
        return key
    return (OTHER,) * len(names)


def rooms_capped(participants: Mapping[str, int], cap: int = ROOM_SERIES) -> dict[str, int]:
    """The ``cap`` fullest rooms, and ``other`` for the rest of them."""
    ordered = sorted(participants.items(), key=lambda item: (-item[1], item[0]))
    shown = dict(ordered[:cap])
    rest = ordered[cap:]
    return shown | ({OTHER: sum(count for _, count in rest)} if rest else {})
