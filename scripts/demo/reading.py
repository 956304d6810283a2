"""From what the cluster and its pods say to facts. Pure; what is not there gives no fact."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from demo.facts import Decision, Fact, Judgement, Move, Place, Release
from voiceroom_api.diagnosis import evidence_words

RECENT = 3
"""Seconds of ticks, the newest, that a pod's lateness is told of."""
Object = Mapping[str, Any]


def room_facts(room: Object, at_s: float) -> Iterator[Fact]:
    """Of a VoiceRoom: where it is, and its last move."""
    status = room.get("status") or {}
    last = status.get("moves", {}).get("last") or {}
    if last:
        state = "done" if "switchedAt" in last else "given up" if "endedAt" in last else "begun"
        told = {key: str(last.get(key, "")) for key in ("id", "reason", "from", "to")}
        yield Move(at_s, told["id"], told["reason"], told["from"], told["to"], state)
    if status.get("podName") and status.get("nodeName"):
        yield Place(at_s, status["podName"], status["nodeName"])


def endpoint(room: Object) -> tuple[str, int] | None:
    """Where gateways send to."""
    listed = (room.get("status") or {}).get("endpoint", {}).get("udp") or []
    if not listed:
        return None
    host, _, port = str(listed[0]).rpartition(":")
    return host, int(port)


class PoolReader:
    """Of a MixerPool: who is left, and who may have rooms again."""

    def __init__(self) -> None:
        self._left: set[str] = set()

    def facts(self, pool: Object, at_s: float) -> Iterator[Fact]:
        """Those of its status as it is now."""
        status = pool.get("status") or {}
        for entry in status.get("budget", {}).get("evacuations") or ():
            if not entry.get("dryRun"):
                yield Decision(at_s, entry["what"], entry["name"], entry.get("cause", ""))
        left = {node["name"] for node in status.get("nodes", ()) if "quarantinedUntil" in node}
        yield from (Release(at_s, name) for name in sorted(self._left - left))
        self._left = left


def judgement(pod: Object, report: Object, at_s: float) -> Judgement:
    """Of a pod, by its ``GET /admin/v1/status``."""
    timing = report.get("timing") or {}
    late = [float(w["latenessP99Ms"]) for w in timing.get("windows") or () if w.get("ticks")]
    return Judgement(
        at_s,
        pod["metadata"]["name"],
        pod["spec"].get("nodeName", ""),
        timing.get("verdict") or "",
        evidence_words(timing.get("evidence") or ()),
        max(late[-RECENT:], default=0.0),
    )


def lateness(report: Object) -> dict[int, float]:
    """Milliseconds at p99 by second of CLOCK_MONOTONIC, of those in which there were ticks."""
    windows = (report.get("timing") or {}).get("windows") or ()
    return {int(w["window"]): float(w["latenessP99Ms"]) for w in windows if w.get("ticks")}
