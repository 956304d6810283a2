"""What a grey release is judged by, as counts since the pod began (``docs/canary.md``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from voiceroom_mixer.control.export.clockfacts import report
from voiceroom_mixer.control.export.figures import counter
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.core.timing.detect.judge import STATUSES
from voiceroom_mixer.edge.shm import Segment

_HISTOGRAMS: Final = {spec.name: spec for spec in stats.HISTOGRAMS}


def indicators(segments: Sequence[Segment]) -> dict[str, Any]:
    """Ticks by lateness and legs' seconds by jitter, each in buckets up to ``edgesUs`` and one for
    what lies above (not cumulative), ticks that were skipped, and faults of time by how they
    ended. Of all media processes together; a restart of one loses nothing."""
    skipped = sum(counter(segment, "ticks_skipped") for segment in segments)
    return {
        "lateness": _counts(segments, "tick_late") | {"skipped": skipped},
        "jitter": _counts(segments, "media_jitter"),
        "recoveries": recoveries(segments),
    }


def _counts(segments: Sequence[Segment], name: str) -> dict[str, list[int]]:
    spec, at = _HISTOGRAMS[name], stats.INDEX[name]
    words = [segment.counters[at : at + spec.words - 1] for segment in segments]
    summed = [int(sum(column)) for column in zip(*words, strict=True)]
    return {"edgesUs": list(spec.edges_us), "counts": summed}


def recoveries(segments: Sequence[Segment]) -> dict[str, int]:
    """Faults of time that have ended, by how."""
    said = [report(segment, layout.REPORT_TIMING).get("recoveries", {}) for segment in segments]
    return {status: sum(int(one.get(status, 0)) for one in said) for status in STATUSES}


def refresh_recovery_metrics(segments: Sequence[Segment], numbers: Numbers) -> None:
    """Set ``voiceroom_clock_recoveries_total``."""
    for status, count in recoveries(segments).items():
        numbers.set("voiceroom_clock_recoveries_total", count, status=status)
