"""What media says is wrong with time, as its detectors judge it; and of control's event loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from voiceroom_api.names import VERDICTS
from voiceroom_mixer.control.export.clockfacts import report
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.core.timing.detect import matrix
from voiceroom_mixer.edge.shm import Segment

Said = Mapping[str, Any]
_NS_PER_S: Final = 1e9


def refresh_drift_metrics(segments: Sequence[Segment], numbers: Numbers) -> None:
    """Set the verdicts of now, and the faults since the start. Media carries its counts over a
    restart, so they only grow."""
    said, loop = _of_media(segments), _of_loop(segments)
    verdicts = {one.get("verdict") for one in (*said, _own(loop))}
    for cause in VERDICTS:
        begun = sum(one.get("raised", {}).get(cause, 0) for one in said)
        begun += loop.get("raised", {}).get(cause, 0) * (cause in matrix.OF_LOOP)
        numbers.set("voiceroom_drift_cause", cause in verdicts, cause=cause)
        numbers.set("voiceroom_drift_faults_total", begun, cause=cause)
        numbers.set("voiceroom_loop_cause", cause == loop.get("verdict"), cause=cause)


def judgement(segments: Sequence[Segment], now_ns: int, wall_ns: int) -> dict[str, Any]:
    """``verdict``, ``evidence``, ``also`` and ``since`` (Unix seconds) of the pod: of the media
    process whose fault began first, else of what control's loop does itself; and under ``control``
    whatever is wrong with that loop. Empty when nothing is. ``now_ns``: CLOCK_MONOTONIC."""
    loop = _of_loop(segments)
    faults = [one for one in _of_media(segments) if one.get("verdict")] or [
        one for one in (_own(loop),) if one
    ]
    found = {"control": _told(loop, now_ns, wall_ns)} if loop.get("verdict") else {}
    if not faults:
        return found
    return _told(min(faults, key=lambda one: int(one["sinceNs"])), now_ns, wall_ns) | found


def _of_media(segments: Sequence[Segment]) -> list[Said]:
    return [report(segment, layout.REPORT_TIMING) for segment in segments]


def _of_loop(segments: Sequence[Segment]) -> Said:
    """The first media process watches it."""
    return report(segments[0], layout.REPORT_LOOP) if segments else {}


def _own(loop: Said) -> Said:
    """What the loop does itself; empty where something else keeps it from running."""
    return loop if loop.get("verdict") in matrix.OF_LOOP else {}


def _told(one: Said, now_ns: int, wall_ns: int) -> dict[str, Any]:
    since_s = (wall_ns - (now_ns - int(one["sinceNs"]))) / _NS_PER_S
    words = {key: one.get(key, []) for key in ("evidence", "also")}
    return {"verdict": one["verdict"], **words, "since": round(since_s, 3)}
