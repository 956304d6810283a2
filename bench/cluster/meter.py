"""What the operator and mixers take: processes of their containers, and the operator's metrics."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bench.errors import BenchError
from bench.procfs import cpu_s, memory
from localcluster import realtime
from localcluster.layout import Node

_SAMPLE: Final = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)", re.MULTILINE)
_LABEL: Final = re.compile(r'(\w+)="([^"]*)"')
_WRITES: Final = frozenset({"create", "patch", "update", "delete"})
_SIDE: Final = frozenset({"events", "leases"})
Sample = tuple[str, Mapping[str, str], float]


def samples(text: str) -> list[Sample]:
    """Of an exposition: name, labels and value."""
    return [(n, dict(_LABEL.findall(labels)), float(v)) for n, labels, v in _SAMPLE.findall(text)]


@dataclass(frozen=True, slots=True)
class Reading:
    """Since the process began."""

    at_s: float
    """Monotonic."""
    cpu_s: float
    calls: float
    """To the API server, those of the Lease apart."""
    writes: float
    """Of them, Events apart."""
    rounds: float
    round_s: float
    started_s: float = 0.0
    """When the process began, since the epoch; of a difference 0."""

    def since(self, before: Reading) -> Reading:
        """What passed between the two. Raises: BenchError when they are of two processes."""
        if self.started_s != before.started_s:
            raise BenchError("the operator was started again meanwhile: kubectl logs --previous")
        names = Reading.__dataclass_fields__
        return Reading(**{name: getattr(self, name) - getattr(before, name) for name in names})


def reading(text: str, *, at_s: float, used_s: float) -> Reading:
    """From an exposition of the operator's metrics."""
    found = samples(text)
    calls = [
        (labels, value)
        for name, labels, value in found
        if name == "voiceroom_operator_api_requests_total" and labels["resource"] != "leases"
    ]
    totals = {name: value for name, labels, value in found if not labels}
    return Reading(
        at_s,
        used_s,
        calls=sum(value for _, value in calls),
        writes=sum(
            value
            for labels, value in calls
            if labels["verb"] in _WRITES and labels["resource"] not in _SIDE
        ),
        rounds=totals.get("voiceroom_operator_reconcile_seconds_count", 0.0),
        round_s=totals.get("voiceroom_operator_reconcile_seconds_sum", 0.0),
        started_s=totals.get("process_start_time_seconds", 0.0),
    )


def pids(node: Node, uid: str) -> list[int]:
    """Of all containers of a pod."""
    folders = realtime.container_cgroups(node, uid)
    listings = (folder / "cgroup.procs" for folder in folders)
    return [int(pid) for listing in listings for pid in listing.read_text().split()]


@dataclass(frozen=True, slots=True)
class Operator:
    """The one that acts."""

    node: Node
    uid: str
    url: str
    """Of its metrics."""

    def read(self) -> Reading:
        """Now."""
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            text = answer.read().decode()
        return reading(text, at_s=time.monotonic(), used_s=cpu_s(pids(self.node, self.uid)))

    def rss_mib(self) -> float:
        """Resident memory of its container."""
        return memory(pids(self.node, self.uid)).rss / 1024


def mixers_cpu_s(pods: Sequence[tuple[Node, str]]) -> float:
    """User and system seconds of all processes of these pods."""
    return cpu_s([pid for node, uid in pods for pid in pids(node, uid)])
