"""The text of ``/metrics``, written by hand: a library for it would be most of this process.

The Prometheus text format 0.0.4, and OpenMetrics 1.0 where a scraper asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from voiceroom_api.metric import Metric
from voiceroom_api.probe_metrics import TIMERS
from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.core.timing.probing import DriftFigures

OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True)
class Distribution:
    """Counts of a histogram (not cumulative, overflow last) and its sum in the metric's unit."""

    buckets: Sequence[int]
    sum: float


Value = float | Distribution
Series = Mapping[tuple[str, ...], Value]
"""Values by the labels' values, in the metric's order of labels."""
Exposed = Iterable[tuple[Metric, Series]]


def timers(figures: DriftFigures, visits: str, reason: str) -> Exposed:
    """What the page says, as the metrics of ``TIMERS``, in their order."""
    drift, histogram, waiting, strayed, info = TIMERS
    yield drift, _by_cpu(figures.max_ns)
    yield histogram, {(): Distribution(figures.buckets, figures.sum_ns / NS_PER_S)}
    yield waiting, _by_cpu(figures.wait_ns)
    yield strayed, {(): figures.strayed}
    yield info, {(figures.policy, str(figures.priority), visits, reason): 1}


def _by_cpu(nanoseconds: Mapping[int, int]) -> Series:
    return {(str(cpu),): ns / NS_PER_S for cpu, ns in nanoseconds.items()}


def render(exposed: Exposed, *, openmetrics: bool) -> str:
    """The whole answer."""
    lines = [line for one in exposed for line in _family(*one, openmetrics=openmetrics)]
    return "\n".join([*lines, "# EOF"] if openmetrics else lines) + "\n"


def _family(metric: Metric, series: Series, *, openmetrics: bool) -> Iterator[str]:
    name, kind = metric.name, str(metric.kind)
    if openmetrics:
        name = name.removesuffix("_total").removesuffix("_info")
    elif kind == "info":
        kind = "gauge"
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} {kind}"
    if openmetrics and metric.unit and name.endswith(f"_{metric.unit}"):
        yield f"# UNIT {name} {metric.unit}"
    for values, value in series.items():
        labels = dict(zip(metric.labels, values, strict=True))
        if isinstance(value, Distribution):
            yield from _histogram(metric, labels, value)
        else:
            yield _sample(metric.name, labels, value)


def _histogram(metric: Metric, labels: dict[str, str], value: Distribution) -> Iterator[str]:
    edges = (*map(str, metric.buckets), "+Inf")
    counts = list(accumulate(value.buckets))
    for edge, count in zip(edges, counts, strict=True):
        yield _sample(f"{metric.name}_bucket", labels | {"le": edge}, count)
    yield _sample(f"{metric.name}_count", labels, counts[-1])
    yield _sample(f"{metric.name}_sum", labels, value.sum)


def _sample(name: str, labels: Mapping[str, str], value: float) -> str:
    inner = ",".join(f'{key}="{text.translate(_ESCAPES)}"' for key, text in labels.items())
    return f"{name}{{{inner}}} {value}" if inner else f"{name} {value}"
