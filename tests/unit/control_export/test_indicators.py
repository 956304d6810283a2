"""What a grey release is judged by, as a pod counts it."""

from __future__ import annotations

import json

from fakes.door import segment
from voiceroom_mixer.control.export.indicators import indicators, refresh_recovery_metrics
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.state import layout, stats
from voiceroom_mixer.edge.shm import Segment


def counted(late: dict[int, int], recovered: int, skipped: int = 0) -> Segment:
    memory = segment()
    for bucket, ticks in late.items():
        memory.counters[stats.INDEX["tick_late"] + bucket] = ticks
    memory.counters[stats.INDEX["ticks_skipped"]] = skipped
    memory.counters[stats.INDEX["media_jitter"] + 1] = 7
    said = {"verdict": None, "recoveries": {"recovered": recovered, "late": 1}}
    memory.tables["reports"].write(layout.REPORT_TIMING, json.dumps(said).encode())
    return memory


def test_media_processes_are_counted_together() -> None:
    last = len(stats.LATENESS_EDGES_US)
    said = indicators([counted({0: 10, last: 1}, 2, skipped=3), counted({0: 5}, 1)])
    lateness = said["lateness"]
    assert len(lateness["counts"]) == len(lateness["edgesUs"]) + 1, "one for what lies above"
    assert (lateness["counts"][0], lateness["counts"][-1], lateness["skipped"]) == (15, 1, 3)
    assert said["jitter"]["counts"][1] == 14
    assert said["recoveries"] == {"recovered": 3, "late": 2, "restarted": 0}


def test_the_limits_of_the_profiles_are_edges_of_buckets() -> None:
    assert {120, 500, 2_000} <= set(stats.LATENESS_EDGES_US)
    assert 30_000 in stats.JITTER_EDGES_US


def test_recoveries_are_a_metric() -> None:
    numbers = Numbers()
    refresh_recovery_metrics([counted({}, 4), segment()], numbers)
    said = numbers.values("voiceroom_clock_recoveries_total")
    assert {status: value for (status,), value in said.items()} == {
        "recovered": 4,
        "late": 1,
        "restarted": 0,
    }
