"""What ``/metrics`` of the door shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from voiceroom_api.chaos_metrics import ACTIVE, BEGUN, EVENTS_DROPPED, UNDO_FAILURES, UNDONE
from voiceroom_api.metric import Metric
from voiceroom_chaosdoor.desk import Counts
from voiceroom_chaosdoor.order import Kind

Series = Iterable[tuple[tuple[str, ...], int]]
"""Values by the labels' values, which are words of ours."""


def render(active: Mapping[Kind, int], counts: Counts, events_dropped: int) -> str:
    """The Prometheus text format 0.0.4."""
    families: tuple[tuple[Metric, Series], ...] = (
        (ACTIVE, _by_kind(active)),
        (BEGUN, _by_kind(counts.begun)),
        (UNDONE, counts.undone.items()),
        (UNDO_FAILURES, _by_kind(counts.undo_failures)),
        (EVENTS_DROPPED, [((), events_dropped)]),
    )
    return "".join(f"{line}\n" for family in families for line in _lines(*family))


def _by_kind(numbers: Mapping[Kind, int]) -> Series:
    return [((kind,), number) for kind, number in numbers.items()]


def _lines(metric: Metric, series: Series) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} {metric.kind}"
    for values, number in series:
        pairs = ",".join(f'{k}="{v}"' for k, v in zip(metric.labels, values, strict=True))
        yield f"{metric.name}{{{pairs}}} {number}" if pairs else f"{metric.name} {number}"
