"""Operator: whether it works, what it moves, and what holds it back."""

from __future__ import annotations

from typing import Final

from voiceroom_dashboards.boards.model import Board, Panel, Query, Row
from voiceroom_dashboards.boards.queries import (
    BY_POD,
    BY_POOL,
    NAMESPACE,
    POOL,
    POOLS,
    grown,
    per_s,
    pick,
    quantile,
    worst,
)
from voiceroom_dashboards.rules.promql import of_leader
from voiceroom_dashboards.rules.service import STALLED_S

_POD: Final = "{{pod}}"
_WHO: Final = "{{namespace}}/{{pool}}"


def _own(name: str) -> Query:
    return Query(worst(f"voiceroom_operator_{name}", BY_POD), _POD)


def _each_s(name: str, label: str) -> Query:
    legend = " ".join(f"{{{{{one}}}}}" for one in label.split(", "))
    return Query(per_s(f"voiceroom_operator_{name}", label), legend)


def _rounds(of: float) -> Query:
    buckets = "voiceroom_operator_reconcile_seconds_bucket"
    return Query(quantile(of, buckets, BY_POD), f"{_POD} p{of * 100:g}")


def _of_pools(name: str, legend: str = _WHO, by: str = BY_POOL) -> Query:
    return Query(worst(of_leader(pick(f"voiceroom_operator_{name}", POOLS)), by), legend)


_LEADS: Final = Row(
    "Who leads",
    "Without a leader rooms go on, and none is bound, moved or remedied.",
    (
        Panel(
            "Leader",
            "1 on the replica that acts.",
            "short",
            (_own("leader"),),
            "states",
            words={0: ("stands by", "yellow"), 1: ("leads", "green")},
        ),
        Panel(
            "Its own lateness",
            f"Of its event loop, the greatest of a minute; from {STALLED_S:g} s on it gives the "
            "Lease up.",
            "s",
            (_own("loop_lateness_seconds"),),
            steps=((STALLED_S, "red"),),
        ),
        Panel(
            "Lease given up",
            "Within what is shown, because the leader was stalled itself.",
            "short",
            (Query(grown("voiceroom_operator_lease_given_up_total", BY_POD), _POD),),
            "number",
        ),
        Panel(
            "Namespaces that wait",
            "For a reconcile.",
            "short",
            (_own("queue_depth"),),
        ),
    ),
    ("VoiceroomOperatorNoLeader", "VoiceroomOperatorLate", "VoiceroomOperatorStalled"),
)
_ROUNDS: Final = Row(
    "Reconciles",
    "One for each namespace whenever there is news.",
    (
        Panel(
            "Reconciles",
            "By how they ended; failed ones are made again.",
            "ops",
            (_each_s("reconciles_total", "result"),),
        ),
        Panel("How long one takes", "At p99 and the median.", "s", (_rounds(0.99), _rounds(0.5))),
    ),
    ("VoiceroomOperatorFailing", "VoiceroomOperatorStalled"),
)
_MOVES: Final = Row(
    "Moves",
    "What was decided, and on whose word.",
    (
        Panel(
            "Decisions",
            "Changes of rooms' bindings that were put on record.",
            "ops",
            (_each_s("decisions_total", "action"),),
        ),
        Panel(
            "On account of drift",
            "Nodes and pods that are left, rooms that move; dry_run: only said.",
            "ops",
            (_each_s("remediations_total", "what, result"),),
        ),
        Panel(
            "Alerts delivered",
            "By what became of them; all but taken, resolved and duplicate did not count.",
            "ops",
            (_each_s("alerts_total", "result"),),
        ),
        Panel(
            "Events dropped",
            "Kubernetes Events that were not posted, within what is shown.",
            "short",
            (Query(grown("voiceroom_operator_events_dropped_total", BY_POD), _POD),),
            "number",
        ),
    ),
    ("VoiceroomMoveFailed", "VoiceroomAlertsRefused"),
)
_RAILS: Final = Row(
    "Guard rails",
    "What does not keep time, and what holds the operator back from leaving it "
    "(docs/remediation.md has the reasons).",
    (
        Panel(
            "Held back",
            "1 for each reason for which something of the pool is not left.",
            "short",
            (_of_pools("remediation_blocked", f"{_WHO} {{{{reason}}}}", f"{BY_POOL}, reason"),),
            "states",
            24,
            words={0: ("no", "green"), 1: ("held back", "red")},
        ),
        Panel(
            "Suspected pods",
            "That do not keep time by the guard rails of their pool.",
            "short",
            (_of_pools("suspected_pods"),),
            steps=((1, "orange"),),
        ),
        Panel(
            "Nodes in quarantine",
            "They get no pods of the pool until they have kept time again.",
            "short",
            (_of_pools("quarantined_nodes"),),
            steps=((1, "orange"),),
        ),
    ),
    ("VoiceroomStormStopped", "VoiceroomRemediationBlocked"),
)
_API: Final = Row(
    "The API server",
    "What is asked of it, and what it tells.",
    (
        Panel(
            "Calls by answer",
            "0: no answer; 429: throttled.",
            "reqps",
            (_each_s("api_requests_total", "code"),),
        ),
        Panel(
            "Calls by what is asked",
            "Verb and resource.",
            "reqps",
            (_each_s("api_requests_total", "verb, resource"),),
        ),
        Panel(
            "News from watches",
            "By resource.",
            "ops",
            (_each_s("watch_events_total", "resource"),),
        ),
        Panel(
            "Watches begun again, news missed",
            "Missed: objects whose news no stream had told of, found by listing.",
            "ops",
            (
                Query(per_s("voiceroom_operator_watch_restarts_total", BY_POD), "{{pod}} again"),
                Query(
                    per_s("voiceroom_operator_watch_missed_total", "resource"),
                    "missed {{resource}}",
                ),
            ),
        ),
    ),
    ("VoiceroomOperatorFailing",),
)

OPERATOR: Final = Board(
    "operator",
    "Voiceroom: operator",
    "Whether the operator works, what it moves, and what holds it back.",
    (NAMESPACE, POOL),
    (_LEADS, _ROUNDS, _MOVES, _RAILS, _API),
)
