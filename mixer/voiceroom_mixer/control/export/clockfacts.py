"""What media has told of clocks and scheduling, in the table ``reports`` of its segment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from voiceroom_api.units import NS_PER_S
from voiceroom_mixer.control.export.figures import tick_figures
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment


def report(segment: Segment, row: int) -> dict[str, Any]:
    """One report; empty until media has written it."""
    raw = segment.tables["reports"].read(row)
    value: dict[str, Any] = json.loads(raw) if raw else {}  # the row's checksum held
    return value


def refresh_clock_metrics(segments: Sequence[Segment], numbers: Numbers) -> None:
    """Set the clock metrics. The clocks are the node's: the newest word of any process counts."""
    for segment in segments:
        for pair, rate in report(segment, layout.REPORT_CLOCK).get("pairs", {}).items():
            numbers.set("voiceroom_clock_rate_ppm", rate["ppm"], pair=pair)
            steps_s = rate["step_total_ns"] / NS_PER_S
            numbers.set("voiceroom_clock_step_seconds_total", steps_s, pair=pair)
        for cost in report(segment, layout.REPORT_ABOUT).get("readCost", ()):
            for stat in ("min", "mean", "std", "max"):
                seconds = cost[f"{stat}_ns"] / NS_PER_S
                numbers.set("voiceroom_clock_read_seconds", seconds, clock=cost["clock"], stat=stat)


def clock_infos(segments: Sequence[Segment]) -> dict[str, list[dict[str, str]]]:
    """Label sets of the info metrics about clocks and scheduling."""
    abouts = [about for s in segments if (about := report(s, layout.REPORT_ABOUT))]
    return {
        "voiceroom_clock_info": _distinct(_clock_labels(about["node"]) for about in abouts),
        "voiceroom_node_grade_info": _distinct(_grade_labels(about["grade"]) for about in abouts),
        "voiceroom_scheduling_info": _distinct(
            _scheduling_labels(about["scheduling"]) for about in abouts
        ),
    }


def _distinct(sets: Any) -> list[dict[str, str]]:
    return [dict(labels) for labels in dict.fromkeys(tuple(labels.items()) for labels in sets)]


def _clock_labels(node: Mapping[str, Any]) -> dict[str, str]:
    return {"clocksource": node["clocksource"] or "unknown", "arch": node["arch"]}


def _grade_labels(verdict: Mapping[str, Any]) -> dict[str, str]:
    return {"grade": verdict["grade"], "reason": verdict["reasons"][0]}


def _scheduling_labels(granted: Mapping[str, Any]) -> dict[str, str]:
    return {
        "policy": granted["policy"],
        "priority": str(granted["priority"]),
        "mlock": "yes" if granted["memory_locked"] else "no",
        "reason": "; ".join(refusal["reason"] for refusal in granted["refused"]),
    }


def clockz(segments: Sequence[Segment], now_ns: int) -> dict[str, Any]:
    """GET /clockz: calibration, grade, scheduling and tick figures of every media process."""
    return {"media": [_process(segment, now_ns) for segment in segments]}


def _process(segment: Segment, now_ns: int) -> dict[str, Any]:
    return {
        "pid": segment.word("media_pid"),
        "boots": segment.word("media_boots"),
        "ready": bool(segment.word("media_ready")),
        "beatAgeMs": round((now_ns - segment.word("media_beat_ns")) / 1e6, 3),
        "gridOriginNs": segment.word("grid_origin_ns"),
        "gridSlot": segment.word("grid_slot"),
        "ticks": tick_figures(segment),
        "clock": report(segment, layout.REPORT_CLOCK),
    } | report(segment, layout.REPORT_ABOUT)
