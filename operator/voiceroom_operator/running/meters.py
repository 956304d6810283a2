"""The operator's metrics, exposed as they are declared (``voiceroom_api.operator_metrics``)."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.openmetrics.exposition import generate_latest

from voiceroom_api import names
from voiceroom_api.metric import Metric
from voiceroom_api.operator_metrics import BY_NAME, METRICS
from voiceroom_operator.canary.record import Record
from voiceroom_operator.cluster.api import Body
from voiceroom_operator.remediation.case import Remedies
from voiceroom_operator.round.seen import PoolRecord, RoomRecord, Seen
from voiceroom_operator.running.canarymeters import CanaryMeters

_Any = Counter | Gauge | Histogram
_BLOCKED: Final = "voiceroom_operator_remediation_blocked"
_REASONS: Final = BY_NAME[_BLOCKED].values["reason"]


class Meters:
    """All of them; also the ``Tally`` of rounds and the ``Meter`` of the queue."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._metrics: dict[str, Any] = {m.name: _made(m, self._registry) for m in METRICS}
        self._pools: dict[str, set[str]] = {}
        self._judged: dict[str, set[str]] = {}
        self._canaries = CanaryMeters(self._metrics)

    def exposition(self) -> bytes:
        """OpenMetrics."""
        return bytes(generate_latest(self._registry))  # type: ignore[no-untyped-call]

    def leads(self, leading: Callable[[], bool]) -> None:
        """Asked whenever metrics are read."""
        self._of("voiceroom_operator_leader").set_function(lambda: float(leading()))

    def lateness(self, worst_s: Callable[[], float]) -> None:
        """Asked whenever metrics are read."""
        self._of("voiceroom_operator_loop_lateness_seconds").set_function(worst_s)

    def gave_up(self) -> None:
        """This replica left the Lease to another because it was stalled."""
        self._of("voiceroom_operator_lease_given_up_total").inc()

    def log_dropped(self) -> None:
        """A log line was lost: nobody took it."""
        self._of("voiceroom_operator_log_dropped_total").inc()

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

    def remedied(self, what: str, result: str) -> None:
        """Something was decided on account of drift."""
        self._of("voiceroom_operator_remediations_total").labels(what, result).inc()

    def raise_ended(self, outcome: str) -> None:
        """A CPU limit was raised in place, or was not."""
        self._of("voiceroom_operator_cpu_raises_total").labels(outcome).inc()

    def judged(self, namespace: str, remedies: Mapping[str, Remedies]) -> None:
        """What is bad, by pool; series of pools that are gone are removed."""
        suspected = self._of("voiceroom_operator_suspected_pods")
        quarantined = self._of("voiceroom_operator_quarantined_nodes")
        for pool in self._judged.get(namespace, set()) - remedies.keys():
            _remove(suspected, namespace, pool)
            _remove(quarantined, namespace, pool)
            for reason in _REASONS:
                _remove(self._of(_BLOCKED), namespace, pool, reason)
        for pool, found in remedies.items():
            suspected.labels(namespace, pool).set(len(found.causes))
            quarantined.labels(namespace, pool).set(len(found.quarantined))
            self._block(namespace, pool, found)
        self._judged[namespace] = set(remedies)

    def _block(self, namespace: str, pool: str, found: Remedies) -> None:
        """What holds the pool itself back, or any of its rooms."""
        why = {each.reason for each in (found.blocked, *found.held.values()) if each is not None}
        for reason in _REASONS:
            self._of(_BLOCKED).labels(namespace, pool, reason).set(reason in why)

    def tried(self, namespace: str, records: Mapping[str, Record]) -> None:
        """Canaries of a namespace."""
        self._canaries.show(namespace, records)

    def alerted(self, result: str) -> None:
        """One alert, or one delivery that was refused as a whole."""
        self._of("voiceroom_operator_alerts_total").labels(result).inc()

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
        limit = self._of("voiceroom_operator_pool_lateness_limit_seconds")
        limit.labels(namespace, name).set(record.policy.threshold.bad_ms / 1000)
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
        _remove(self._of("voiceroom_operator_pool_lateness_limit_seconds"), namespace, name)

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
    if metric.labels and all(label in metric.values for label in metric.labels):
        for values in product(*(metric.values[label] for label in metric.labels)):
            made.labels(*values)
    return made


def _remove(metric: Any, *labels: str) -> None:
    """A series that is not there is removed already."""
    metric.remove(*labels)


def _status(body: Body) -> Mapping[str, Any]:
    return body.get("status") or {}
