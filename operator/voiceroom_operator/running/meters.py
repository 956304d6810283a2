"""The operator's metrics, exposed as they are declared (``voiceroom_api.operator_metrics``)."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from voiceroom_api import names
from voiceroom_api.metrics import Metric
from voiceroom_api.operator_metrics import BY_NAME, METRICS
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.round.seen import PoolRecord, RoomRecord, Seen

_Any = Counter | Gauge | Histogram


class Meters:
    """All of them; also the ``Tally`` of rounds and the ``Meter`` of the queue."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._metrics: dict[str, Any] = {m.name: _made(m, self._registry) for m in METRICS}
        self._pools: dict[str, set[str]] = {}

    def exposition(self) -> bytes:
        """OpenMetrics."""
        return bytes(generate_latest(self._registry))  # type: ignore[no-untyped-call]

    def leads(self, leading: Callable[[], bool]) -> None:
        """Asked whenever metrics are read."""
        self._of("voiceroom_operator_leader").set_function(lambda: float(leading()))

    def depth(self, depth: Callable[[], int]) -> None:
        """Asked whenever metrics are read."""
        self._of("voiceroom_operator_queue_depth").set_function(lambda: float(depth()))

    def called(self, verb: str, resource: str, code: int) -> None:
        """A call to the API server."""
        self._of("voiceroom_operator_api_requests_total").labels(verb, resource, str(code)).inc()

    def news(self, resource: str) -> None:
        """From a watch stream."""
        self._of("voiceroom_operator_watch_events_total").labels(resource).inc()

    def streams_restarted(self) -> None:
        """They were given up."""
        self._of("voiceroom_operator_watch_restarts_total").inc()

    def missed(self, resource: str) -> None:
        """Found by listing."""
        self._of("voiceroom_operator_watch_missed_total").labels(resource).inc()

    def event_dropped(self) -> None:
        """A Kubernetes Event was not posted."""
        self._of("voiceroom_operator_events_dropped_total").inc()

    def reconciled(self, result: str, seconds: float) -> None:
        """A round ended."""
        self._of("voiceroom_operator_reconcile_seconds").observe(seconds)
        self._of("voiceroom_operator_reconciles_total").labels(result).inc()

    def decided(self, action: str) -> None:
        """A decision was put on record."""
        self._of("voiceroom_operator_decisions_total").labels(action).inc()

    def look_over(self, seen: Seen) -> None:
        """Gauges of a namespace; series of what is gone are removed."""
        self._count_rooms(seen)
        gone = self._pools.get(seen.namespace, set()) - seen.pools.keys()
        for pool in gone:
            self._remove_pool(seen.namespace, pool)
        for name, record in seen.pools.items():
            self._gauge_pool(seen.namespace, name, record)
        self._pools[seen.namespace] = set(seen.pools)

    def _count_rooms(self, seen: Seen) -> None:
        gauge = self._of("voiceroom_operator_rooms")
        phases = sum((rooms.once(_phases) for rooms in seen.bound.values()), Counts())
        for phase in names.PHASES:
            if phases:
                gauge.labels(seen.namespace, phase).set(phases[phase])
            else:
                _remove(gauge, seen.namespace, phase)

    def _gauge_pool(self, namespace: str, name: str, record: PoolRecord) -> None:
        status = _status(record.body)
        pods = status.get("pods") or {}
        gauge = self._of("voiceroom_operator_pool_pods")
        for state in BY_NAME["voiceroom_operator_pool_pods"].values["state"]:
            gauge.labels(namespace, name, state).set(pods.get(state, 0))
        people = self._of("voiceroom_operator_pool_participants")
        people.labels(namespace, name).set(status.get("participants", 0))
        headroom = self._of("voiceroom_operator_pool_headroom_ratio")
        if "headroom" in status:
            headroom.labels(namespace, name).set(status["headroom"])
        else:
            _remove(headroom, namespace, name)

    def _remove_pool(self, namespace: str, name: str) -> None:
        for state in BY_NAME["voiceroom_operator_pool_pods"].values["state"]:
            _remove(self._of("voiceroom_operator_pool_pods"), namespace, name, state)
        _remove(self._of("voiceroom_operator_pool_participants"), namespace, name)
        _remove(self._of("voiceroom_operator_pool_headroom_ratio"), namespace, name)

    def _of(self, name: str) -> Any:
        return self._metrics[name]


def _phases(rooms: Mapping[str, RoomRecord]) -> Counts[str]:
    return Counts(_status(room.body).get("phase", names.PENDING) for room in rooms.values())


def _made(metric: Metric, registry: CollectorRegistry) -> _Any:
    made: _Any
    if metric.kind == "counter":
        made = Counter(metric.name, metric.help, metric.labels, registry=registry)
    elif metric.kind == "gauge":
        made = Gauge(metric.name, metric.help, metric.labels, registry=registry)
    else:
        made = Histogram(
            metric.name, metric.help, metric.labels, registry=registry, buckets=metric.buckets
        )
    if len(metric.labels) == 1 and metric.labels[0] in metric.values:
        for value in metric.values[metric.labels[0]]:
            made.labels(value)
    return made


def _remove(metric: Any, *labels: str) -> None:
    """A series that is not there is removed already."""
    metric.remove(*labels)


def _status(body: Body) -> Mapping[str, Any]:
    return body.get("status") or {}
