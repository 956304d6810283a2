"""What Prometheus reads: the media processes' statistics pages and control's own numbers.

Nothing is kept here: every scrape reads the words as they stand, so any number of scrapers see
the same. Over several media processes counters and histograms add up; of maxima the greatest
counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from voiceroom_api.metric import Metric
from voiceroom_api.metrics import BY_NAME, METRICS
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.export.mapping import MAXIMA, SHARED_COUNTERS, SHARED_HISTOGRAMS
from voiceroom_mixer.control.export.numbers import Infos, Labels, Numbers
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.edge.shm import Segment


class _Word(NamedTuple):
    labels: Labels
    at: int
    scale: float
    is_maximum: bool


class _Buckets(NamedTuple):
    labels: Labels
    first: int
    edges: int


def _shared_words() -> dict[str, list[_Word]]:
    words: dict[str, list[_Word]] = {}
    for name, export in SHARED_COUNTERS.items():
        labels = tuple(export.labels[label] for label in BY_NAME[export.metric].labels)
        word = _Word(labels, stats.INDEX[name], export.scale, name in MAXIMA)
        words.setdefault(export.metric, []).append(word)
    return words


def _shared_buckets() -> dict[str, list[_Buckets]]:
    buckets: dict[str, list[_Buckets]] = {}
    edges = {spec.name: len(spec.edges_us) for spec in stats.HISTOGRAMS}
    for name, export in SHARED_HISTOGRAMS.items():
        labels = tuple(export.labels[label] for label in BY_NAME[export.metric].labels)
        entry = _Buckets(labels, stats.INDEX[name], edges[name])
        buckets.setdefault(export.metric, []).append(entry)
    return buckets


_WORDS: Final = _shared_words()
_BUCKETS: Final = _shared_buckets()


class MixerCollector(Collector):
    """Yields every metric that is declared in ``voiceroom_api.metrics``."""

    def __init__(
        self,
        segments: Sequence[Segment],
        numbers: Numbers,
        refresh: Callable[[], None],
        infos: Callable[[], Infos],
    ) -> None:
        """``refresh`` sets the gauges of ``numbers`` before they are read."""
        self._segments = segments
        self._numbers = numbers
        self._refresh = refresh
        self._infos = infos

    def collect(self) -> Iterator[Family]:
        """All families, in the order of their declaration."""
        self._refresh()
        infos = self._infos()
        for metric in METRICS:
            if metric.kind == "histogram":
                yield self._histogram(metric)
            elif metric.kind == "info":
                yield _info(metric, infos.get(metric.name, ()))
            else:
                yield self._plain(metric)

    def _plain(self, metric: Metric) -> Family:
        values = dict(self._numbers.values(metric.name))
        for word in _WORDS.get(metric.name, ()):
            each = [float(segment.counters[word.at]) for segment in self._segments]
            total = max(each, default=0.0) if word.is_maximum else sum(each)
            values[word.labels] = total * word.scale
        kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
        name = metric.name.removesuffix("_total")
        family = kind(name, metric.help, labels=metric.labels, unit=_unit(name, metric))
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family

    def _histogram(self, metric: Metric) -> Family:
        family = HistogramMetricFamily(
            metric.name, metric.help, labels=metric.labels, unit=_unit(metric.name, metric)
        )
        shared = _BUCKETS.get(metric.name, ())
        for entry in shared:
            words = [
                segment.counters[entry.first : entry.first + entry.edges + 2]
                for segment in self._segments
            ]
            counts = [int(sum(column)) for column in zip(*words, strict=True)]
            *buckets, sum_ns = counts or [0] * (entry.edges + 2)
            _add(family, metric, entry.labels, buckets, sum_ns / NS_PER_S)
        if not shared:
            for labels, own in self._numbers.histograms(metric.name).items():
                _add(family, metric, labels, own.buckets, own.sum)
        return family


def _unit(name: str, metric: Metric) -> str:
    """OpenMetrics lets a family state its unit only where its name ends in it."""
    return metric.unit if name.endswith(f"_{metric.unit}") else ""


def _add(
    family: HistogramMetricFamily, metric: Metric, labels: Labels, buckets: list[int], total: float
) -> None:
    edges = (*map(str, metric.buckets), "+Inf")
    cumulative = list(zip(edges, map(float, accumulate(buckets)), strict=True))
    family.add_metric(labels, cumulative, total)


def _info(metric: Metric, sets: Sequence[Mapping[str, str]]) -> Family:
    family = InfoMetricFamily(metric.name.removesuffix("_info"), metric.help)
    for values in sets:
        family.add_metric((), dict(values))
    return family
