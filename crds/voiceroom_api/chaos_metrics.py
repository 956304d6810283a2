"""Every metric of the chaos door on a node, declared once, like the mixer's (``metrics``)."""

from __future__ import annotations

from typing import Final

from voiceroom_api.metric import Metric

_KINDS: Final = ("throttle", "netem")
_WHYS: Final = ("deadline", "asked", "stopped", "recovered", "failed")

ACTIVE: Final = Metric(
    "voiceroom_chaos_node_active",
    "gauge",
    "Experiments on mixer pods of the node that are not undone, by kind (docs/chaos.md).",
    labels=("kind",),
    values={"kind": _KINDS},
)
BEGUN: Final = Metric(
    "voiceroom_chaos_node_begun_total",
    "counter",
    "Experiments that were begun on order, by kind.",
    labels=("kind",),
    values={"kind": _KINDS},
)
UNDONE: Final = Metric(
    "voiceroom_chaos_node_undone_total",
    "counter",
    "Experiments that were undone: at the deadline, on demand, when the door was stopped, by "
    "the successor of one that was killed, or as they could not be begun as a whole.",
    labels=("kind", "why"),
    values={"kind": _KINDS, "why": _WHYS},
)
UNDO_FAILURES: Final = Metric(
    "voiceroom_chaos_node_undo_failures_total",
    "counter",
    "Times that an experiment could not be undone; it is tried again at each look.",
    labels=("kind",),
    values={"kind": _KINDS},
)
EVENTS_DROPPED: Final = Metric(
    "voiceroom_chaos_node_events_dropped_total",
    "counter",
    "Events that the API server did not take, or that too many others waited before.",
)

METRICS: Final[tuple[Metric, ...]] = (ACTIVE, BEGUN, UNDONE, UNDO_FAILURES, EVENTS_DROPPED)
