"""What is exposed, and what PromQL reads: series, labels and values, by plain patterns."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from fakes.door import segment
from voiceroom_api import metrics, operator_metrics, probe_metrics
from voiceroom_mixer.clockprobe.exposition import render
from voiceroom_mixer.clockprobe.latency.waits import Waits
from voiceroom_mixer.clockprobe.latency.watch import Watch
from voiceroom_mixer.clockprobe.nodetimes import node_times
from voiceroom_mixer.control.export.exposition import Exposition
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_operator.running.meters import Meters

DECLARED = (
    metrics.BY_NAME
    | operator_metrics.BY_NAME
    | {metric.name: metric for metric in probe_metrics.ON_NODE}
)
SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
    "info": ("_info",),
}
TARGET = {"namespace", "pool", "pod", "node", "job", "instance"}
"""Labels that Prometheus sets."""


def exposed() -> set[str]:
    """Sample names of the expositions of mixer, operator and node, as a scrape has them."""
    mixer = Exposition([segment()], Numbers(), lambda: None, lambda: {})
    text, _ = mixer.expose("application/openmetrics-text; version=1.0.0")
    whole = text.decode() + Meters().exposition().decode() + _of_node()
    found = re.findall(r"^# TYPE (\S+) (\w+)$", whole, re.MULTILINE)
    return {f"{name}{suffix}" for name, kind in found for suffix in SUFFIXES[kind]}


class _Nobody:
    """A node without mixers."""

    name = "schedstat"
    period_ns = 20_000_000

    def follow(self, threads: Collection[int]) -> None:
        """There are none."""

    def read(self) -> dict[int, Waits]:
        return {}


def _of_node() -> str:
    watch = Watch(_Nobody(), "", list, lambda process: False)
    return render([*watch.exposed(), *node_times()], openmetrics=True)


def used(expr: str) -> set[str]:
    """Names of series in an expression; text in quotes is none."""
    plain = re.sub(r'"[^"]*"', "", expr)
    return set(re.findall(r"\b(?:voiceroom[a-z0-9_:]*|node_[a-z0-9_]+|up)\b", plain))


def selectors(expr: str) -> Iterator[tuple[str, str, str]]:
    """Metric, label and what is asked of it."""
    for name, inside in re.findall(r"([\w:]+)\{([^}]*)\}", expr):
        for label, wanted in re.findall(r'(\w+)(?:=|!=|=~|!~)"([^"]*)"', inside):
            yield name, label, wanted
