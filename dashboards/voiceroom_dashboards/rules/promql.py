"""Words of PromQL that all rules share, and the times that they are made for.

From a stall to the room elsewhere in 120 s, by alerts alone: a scrape (15 s), half of a minute's
scrapes bad (30 s), an evaluation and ``for`` (15 s each), a delivery that may find a standby first
(20 s), and the move itself (2 s) are 97 s where each takes its longest.
"""

from __future__ import annotations

from typing import Final

SCRAPE_S: Final = 15
"""Between scrapes, as the chart's PodMonitor has it."""
EVALUATION_S: Final = 15
"""Between evaluations of our groups."""
WINDOW: Final = "1m"
"""Of rates: four scrapes, so that one may be missed and a rate is still known."""
FOR_S: Final = 15
"""One evaluation more: a single odd scrape is no alert."""
KEEP_S: Final = 60
"""A pod that has no time for its ticks has none for scrapes either."""
POD: Final = "namespace, pool, pod, node"
"""The labels by which the operator knows a pod. Prometheus sets them on all targets of the chart's
PodMonitor."""
POOL: Final = "namespace, pool"


def rate(metric: str, window: str = WINDOW, by: str = POD) -> str:
    """Of a counter, per second, for each pod."""
    return f"sum by ({by}) (rate({metric}[{window}]))"


def increase(metric: str, window: str, by: str = POD) -> str:
    """Of a counter, for each pod."""
    return f"sum by ({by}) (increase({metric}[{window}]))"


def quantile(of: float, histogram: str, selector: str = "") -> str:
    """Of a classic histogram, for each pod."""
    buckets = rate(f"{histogram}_bucket{selector}", by=f"le, {POD}")
    return f"histogram_quantile({of:g}, {buckets})"


def lost_ratio(window: str = WINDOW, by: str = POD) -> str:
    """Share of ticks that were skipped or a frame late, as ``thresholds.LOST_SHARE`` counts it."""
    skipped = rate("voiceroom_ticks_skipped_total", window, by)
    late, mixed = (rate(f"voiceroom_ticks{name}_total", window, by) for name in ("_late", ""))
    return f"({skipped} + {late}) / ({mixed} + {skipped})"


def of_leader(gauge: str) -> str:
    """One that stands by shows what was true when it last led."""
    return f"({gauge} and on (job, instance) voiceroom_operator_leader == 1)"


def half_of_the_time(gauge: str, by: str = POD) -> str:
    """Pods whose gauge was 1 at half of a minute's scrapes or more."""
    return f"max by ({by}) (avg_over_time({gauge}[{WINDOW}])) >= 0.5"
