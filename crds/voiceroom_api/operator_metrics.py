"""Every metric of the operator, declared once, like the mixer's (``metrics``)."""

from __future__ import annotations

from typing import Final

from voiceroom_api import names
from voiceroom_api.metric import Metric

ROUND_BUCKETS_S: Final = (5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

METRICS: Final[tuple[Metric, ...]] = (
    Metric("voiceroom_operator_leader", "gauge", "1 on the replica that acts, else 0."),
    Metric(
        "voiceroom_operator_loop_lateness_seconds",
        "gauge",
        "How late the operator's own event loop was, the greatest of the last 60 s.",
        "seconds",
    ),
    Metric(
        "voiceroom_operator_lease_given_up_total",
        "counter",
        "How often the leader left the Lease to another replica because it was stalled itself.",
    ),
    Metric(
        "voiceroom_operator_log_dropped_total",
        "counter",
        "Log lines of the operator that were lost because nobody took them.",
    ),
    Metric(
        "voiceroom_operator_reconcile_seconds",
        "histogram",
        "One reconcile of a namespace.",
        "seconds",
        buckets=ROUND_BUCKETS_S,
    ),
    Metric(
        "voiceroom_operator_reconciles_total",
        "counter",
        "Reconciles, by how they ended; failed ones are made again.",
        labels=("result",),
        values={"result": ("ok", "failed", "crashed")},
    ),
    Metric("voiceroom_operator_queue_depth", "gauge", "Namespaces that wait for a reconcile."),
    Metric(
        "voiceroom_operator_api_requests_total",
        "counter",
        "Calls to the API server, by status; 0 = no answer, 429 = throttled.",
        labels=("verb", "resource", "code"),
    ),
    Metric(
        "voiceroom_operator_watch_events_total",
        "counter",
        "News from watch streams.",
        labels=("resource",),
    ),
    Metric(
        "voiceroom_operator_watch_restarts_total",
        "counter",
        "How often the watch streams were given up and begun again.",
    ),
    Metric(
        "voiceroom_operator_watch_missed_total",
        "counter",
        "Objects whose news no stream had told of, found by listing.",
        labels=("resource",),
    ),
    Metric(
        "voiceroom_operator_decisions_total",
        "counter",
        "Changes of rooms' bindings that were put on record.",
        labels=("action",),
        values={"action": ("Bind", "Move", "Adopt", "Twin", "Release")},
    ),
    Metric(
        "voiceroom_operator_remediations_total",
        "counter",
        "What was decided on account of drift: nodes and pods that are left, rooms that move, CPU "
        "limits that are raised in place.",
        labels=("what", "result"),
        values={"what": ("Node", "Pod", "Room", "Limit"), "result": ("enforced", "dry_run")},
    ),
    Metric(
        "voiceroom_operator_cpu_raises_total",
        "counter",
        "CPU limits that were to be raised in place, by how it ended; Set: the pod reads it back.",
        labels=("outcome",),
        values={"outcome": ("Set", "Refused", "Deferred", "Infeasible", "NotSet")},
    ),
    Metric(
        "voiceroom_operator_alerts_total",
        "counter",
        "Alerts that were delivered, by what became of them; refused deliveries count once.",
        labels=("result",),
        values={
            "result": (
                "taken",
                "resolved",
                "duplicate",
                "unknown_target",
                "dropped",
                "malformed",
                "unauthorized",
                "too_large",
                "standby",
            )
        },
    ),
    Metric(
        "voiceroom_operator_suspected_pods",
        "gauge",
        "Pods that do not keep time by the guard rails of their pool.",
        labels=("namespace", "pool"),
    ),
    Metric(
        "voiceroom_operator_quarantined_nodes",
        "gauge",
        "Nodes that get no pods of the pool until they have kept time again.",
        labels=("namespace", "pool"),
    ),
    Metric(
        "voiceroom_operator_remediation_blocked",
        "gauge",
        "1 for each reason for which something of the pool is not left, else 0.",
        labels=("namespace", "pool", "reason"),
        values={
            "reason": (
                names.DRY_RUN,
                names.PAUSED,
                names.COOLDOWN_ACTIVE,
                names.BUDGET_EXHAUSTED,
                names.NO_CANDIDATE_NODE,
                names.STORM_ACTIVE,
                names.SWITCHED_OFF,
            )
        },
    ),
    Metric(
        "voiceroom_operator_canary_phase",
        "gauge",
        "1 for the phase that a canary is in, else 0.",
        labels=("namespace", "pool", "of", "phase"),
        values={"phase": ("Waiting", "Observing", "Promoting", "Promoted", "RolledBack")},
    ),
    Metric(
        "voiceroom_operator_canary_reason",
        "gauge",
        "1 for why a canary is in its phase, or stays in it; other reasons are not shown.",
        labels=("namespace", "pool", "of", "reason"),
        values={"reason": names.CANARY_REASONS},
    ),
    Metric(
        "voiceroom_operator_canary_rooms",
        "gauge",
        "Rooms of the other pool that a canary runs.",
        labels=("namespace", "pool", "of"),
    ),
    Metric(
        "voiceroom_operator_canary_indicator",
        "gauge",
        "What an indicator of a canary's gate was last: Lateness in seconds, the others shares.",
        labels=("namespace", "pool", "of", "indicator"),
        values={"indicator": ("Lateness", "Jitter", "Recoveries")},
    ),
    Metric(
        "voiceroom_operator_canary_limit",
        "gauge",
        "What Lateness has to be below, in seconds, and the other indicators above.",
        labels=("namespace", "pool", "of", "indicator"),
        values={"indicator": ("Lateness", "Jitter", "Recoveries")},
    ),
    Metric(
        "voiceroom_operator_canary_samples",
        "gauge",
        "Samples of an indicator in its window.",
        labels=("namespace", "pool", "of", "indicator"),
        values={"indicator": ("Lateness", "Jitter", "Recoveries")},
    ),
    Metric(
        "voiceroom_operator_canary_needed",
        "gauge",
        "Samples that an indicator needs before its gate decides by it.",
        labels=("namespace", "pool", "of", "indicator"),
        values={"indicator": ("Lateness", "Jitter", "Recoveries")},
    ),
    Metric(
        "voiceroom_operator_events_dropped_total",
        "counter",
        "Kubernetes Events that were not posted.",
    ),
    Metric(
        "voiceroom_operator_rooms",
        "gauge",
        "VoiceRooms, by phase.",
        labels=("namespace", "phase"),
        values={"phase": names.PHASES},
    ),
    Metric(
        "voiceroom_operator_pool_pods",
        "gauge",
        "Mixer pods of a pool, by state.",
        labels=("namespace", "pool", "state"),
        values={"state": ("desired", "ready", "draining")},
    ),
    Metric(
        "voiceroom_operator_pool_participants",
        "gauge",
        "People in the rooms of a pool.",
        labels=("namespace", "pool"),
    ),
    Metric(
        "voiceroom_operator_pool_headroom_ratio",
        "gauge",
        "Share of the frame still free at p99, in the pool's worst pod.",
        labels=("namespace", "pool"),
    ),
    Metric(
        "voiceroom_operator_pool_lateness_limit_seconds",
        "gauge",
        "p99 of lateness above which a pool's seconds are bad, by its spec.timing.profile.",
        "seconds",
        ("namespace", "pool"),
    ),
)
BY_NAME: Final[dict[str, Metric]] = {metric.name: metric for metric in METRICS}
