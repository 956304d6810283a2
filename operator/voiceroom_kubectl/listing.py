"""``rooms`` and ``pools``: what there is, in a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voiceroom_api import names
from voiceroom_kubectl.cluster import Object
from voiceroom_kubectl.output import NONE, Terminal, age, listed, shown

Row = Callable[[Object, float], list[str]]


def condition(thing: Object, kind: str) -> Object:
    """The condition of that type; empty when there is none."""
    found = thing.get("status", {}).get("conditions", [])
    return next((entry for entry in found if entry.get("type") == kind), {})


def room_row(room: Object, now_s: float) -> list[str]:
    """One row of ``rooms``."""
    status = room.get("status", {})
    ready = condition(room, names.READY)
    return [
        room["metadata"]["name"],
        shown(status.get("phase") or names.PENDING),
        shown(status.get("participants", 0)),
        shown(status.get("podName")),
        shown(status.get("nodeName")),
        shown(status.get("timing", {}).get("p99Ms"), 2),
        shown(status.get("moves", {}).get("count", 0)),
        NONE if ready.get("status") == "True" else shown(ready.get("reason")),
        age(room["metadata"].get("creationTimestamp"), now_s),
    ]


ROOM_HEADS = ("NAME", "PHASE", "PEOPLE", "POD", "NODE", "P99MS", "MOVES", "WHY NOT", "AGE")


def pool_row(pool: Object, now_s: float) -> list[str]:
    """One row of ``pools``."""
    status, pods = pool.get("status", {}), pool.get("status", {}).get("pods", {})
    ready = condition(pool, names.READY)
    headroom = status.get("headroom")
    return [
        pool["metadata"]["name"],
        pool.get("spec", {}).get("realtime", {}).get("mode", "Quota"),
        shown(condition(pool, names.REALTIME_GRANTED).get("status")),
        f"{pods.get('ready', 0)}/{pods.get('desired', 0)}",
        shown(pods.get("draining", 0)),
        shown(status.get("rooms", 0)),
        shown(status.get("participants", 0)),
        NONE if headroom is None else f"{headroom:.0%}",
        NONE if ready.get("status") == "True" else shown(ready.get("reason")),
        age(pool["metadata"].get("creationTimestamp"), now_s),
    ]


POOL_HEADS = (
    "NAME",
    "MODE",
    "GRANTED",
    "READY",
    "DRAINING",
    "ROOMS",
    "PEOPLE",
    "HEADROOM",
    "WHY NOT",
    "AGE",
)


def show(
    terminal: Terminal,
    items: list[Object],
    *,
    form: str,
    heads: Sequence[str],
    row: Row,
    now_s: float,
    with_namespace: bool,
    empty: str,
) -> None:
    """In the form that was asked for."""
    if form != "table":
        terminal.show(listed(items), form)
        return
    lead = ["NAMESPACE"] if with_namespace else []
    rows = [
        ([item["metadata"].get("namespace", "")] if with_namespace else []) + row(item, now_s)
        for item in items
    ]
    terminal.table([*lead, *heads], rows, empty)
