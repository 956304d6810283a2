"""``top``: how late the ticks of each mixer pod are, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from voiceroom_kubectl.cluster import Cluster, ClusterError, Object
from voiceroom_kubectl.output import shown

METRICS_PORT_NAME: Final = "metrics"
_MS: Final = 1_000.0


@dataclass(frozen=True)
class Reading:
    """Of one pod's ``/metrics``, at one moment."""

    lateness: Mapping[float, float]
    """Ticks that began late by at most so many seconds, since the start."""
    work: Mapping[float, float]
    skipped: float
    rooms: float
    legs: float
    ticks: float = 0.0
    late: float = 0.0


@dataclass(frozen=True)
class Load:
    """Of one pod, over the time between two readings; None = not known."""

    namespace: str
    pod: str
    node: str
    rooms: int | None = None
    legs: int | None = None
    late_p50_ms: float | None = None
    late_p99_ms: float | None = None
    work_p99_ms: float | None = None
    skipped: int | None = None
    cpu: float | None = None
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For JSON; what is not known is left out."""
        known = ((key, value) for key, value in asdict(self).items() if value not in (None, ""))
        return {_camel(key): value for key, value in known}

    def row(self) -> list[str]:
        """Of the table."""
        return [
            self.pod,
            shown(self.node),
            shown(self.rooms),
            shown(self.legs),
            shown(self.late_p50_ms, 2),
            shown(self.late_p99_ms, 2),
            shown(self.work_p99_ms, 2),
            shown(self.skipped),
            shown(self.cpu, 2),
        ]


HEADS: Final = (
    "POD",
    "NODE",
    "ROOMS",
    "LEGS",
    "LATE50MS",
    "LATE99MS",
    "WORK99MS",
    "SKIPPED",
    "CPU",
)


def read(text: str) -> Reading:
    """The metrics that ``top`` shows. Raises ``ValueError`` when they are not there."""
    samples: dict[str, list[Any]] = {}
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                samples.setdefault(sample.name, []).append(sample)
    except Exception as error:
        raise ValueError(f"no metrics of a mixer: {error}") from error
    if "voiceroom_tick_lateness_seconds_bucket" not in samples:
        raise ValueError("no metrics of a mixer")
    return Reading(
        lateness=_buckets(samples["voiceroom_tick_lateness_seconds_bucket"], side="late"),
        work=_buckets(samples.get("voiceroom_tick_work_seconds_bucket", [])),
        skipped=_sum(samples.get("voiceroom_ticks_skipped_total", [])),
        rooms=_sum(samples.get("voiceroom_rooms", [])),
        legs=_sum(samples.get("voiceroom_legs", [])),
        ticks=_sum(samples.get("voiceroom_ticks_total", [])),
        late=_sum(samples.get("voiceroom_ticks_late_total", [])),
    )


def _sum(samples: Sequence[Any]) -> float:
    return float(sum(sample.value for sample in samples))


def _buckets(samples: Sequence[Any], side: str | None = None) -> dict[float, float]:
    found: dict[float, float] = {}
    for sample in samples:
        if side is None or sample.labels.get("side", side) == side:
            edge = float(sample.labels["le"])
            found[edge] = found.get(edge, 0.0) + sample.value
    return found


def quantile(
    share: float, before: Mapping[float, float], after: Mapping[float, float]
) -> float | None:
    """Of what was counted between two readings, in the histogram's unit, by linear interpolation
    as ``histogram_quantile`` does it; the last finite edge for what lies above it."""
    edges = sorted(after)
    counts = [after[edge] - before.get(edge, 0.0) for edge in edges]
    if not counts or counts[-1] <= 0:
        return None
    wanted = share * counts[-1]
    low_edge = low_count = 0.0
    for edge, count in zip(edges, counts, strict=True):
        if count >= wanted:
            if math.isinf(edge):
                return low_edge
            inside = (wanted - low_count) / (count - low_count) if count > low_count else 1.0
            return low_edge + (edge - low_edge) * inside
        low_edge, low_count = edge, count
    return low_edge


def metrics_port(pod: Object) -> int | None:
    """The port of that name; in the node's own network each pod has another."""
    for container in pod.get("spec", {}).get("containers", []):
        for port in container.get("ports", []):
            if port.get("name") == METRICS_PORT_NAME:
                return int(port["containerPort"])
    return None


def reading(cluster: Cluster, pod: Object) -> Reading | str:
    """Or, in words, why there is none."""
    metadata, port = pod["metadata"], metrics_port(pod)
    if port is None or pod.get("status", {}).get("phase") != "Running":
        return "not running"
    try:
        return read(cluster.pod_text(metadata["namespace"], metadata["name"], port, "/metrics"))
    except (ClusterError, ValueError) as error:
        return str(error)


def load(cluster: Cluster, pod: Object, before: Reading | str, after: Reading | str) -> Load:
    """What lies between two readings of a pod."""
    metadata, node = pod["metadata"], pod.get("spec", {}).get("nodeName", "")
    where = (metadata["namespace"], metadata["name"], node)
    if isinstance(after, str) or isinstance(before, str):
        return Load(*where, error=after if isinstance(after, str) else str(before))
    return Load(
        *where,
        rooms=int(after.rooms),
        legs=int(after.legs),
        late_p50_ms=_ms(quantile(0.5, before.lateness, after.lateness)),
        late_p99_ms=_ms(quantile(0.99, before.lateness, after.lateness)),
        work_p99_ms=_ms(quantile(0.99, before.work, after.work)),
        skipped=int(after.skipped - before.skipped),
        cpu=cluster.usage(*where),
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * _MS, 3)
