"""What media says is wrong with time, as its detectors judge it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voiceroom_api.names import VERDICTS
from voiceroom_mixer.control.export.clockfacts import report
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment

_NS_PER_S = 1e9


def refresh_drift_metrics(segments: Sequence[Segment], numbers: Numbers) -> None:
    """Set the verdicts of now, and the faults since the start. Media carries its counts over a
    restart, so they only grow."""
    said = [report(segment, layout.REPORT_TIMING) for segment in segments]
    verdicts = {one.get("verdict") for one in said}
    for cause in VERDICTS:
        begun = sum(one.get("raised", {}).get(cause, 0) for one in said)
        numbers.set("voiceroom_drift_cause", cause in verdicts, cause=cause)
        numbers.set("voiceroom_drift_faults_total", begun, cause=cause)


def judgement(segments: Sequence[Segment], now_ns: int, wall_ns: int) -> dict[str, Any]:
    """``verdict``, ``evidence``, ``also`` and ``since`` (Unix seconds) of the pod: of the media
    process whose fault began first. Empty when none is known. ``now_ns``: CLOCK_MONOTONIC."""
    said = [report(segment, layout.REPORT_TIMING) for segment in segments]
    faults = [one for one in said if one.get("verdict")]
    if not faults:
        return {}
    first = min(faults, key=lambda one: int(one["sinceNs"]))
    since_s = (wall_ns - (now_ns - int(first["sinceNs"]))) / _NS_PER_S
    words = {key: first.get(key, []) for key in ("evidence", "also")}
    return {"verdict": first["verdict"], **words, "since": round(since_s, 3)}
