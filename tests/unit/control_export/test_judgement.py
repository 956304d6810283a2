"""The pod's verdict on time, from the words of its media processes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.door import segment
from voiceroom_mixer.control.export.drift import judgement, refresh_drift_metrics
from voiceroom_mixer.control.export.numbers import Numbers
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment

NOW_NS, WALL_NS = 50_000_000_000, 1_800_000_000_000_000_000
METRICS = ("drift_cause", "drift_faults_total", "loop_cause")
LATE = {"name": "lateness", "value": 81.0, "unit": "ms"}


def told(verdict: str | None, since_s: float = 0.0) -> Segment:
    memory = segment()
    said: dict[str, Any] = {"verdict": verdict, "evidence": [], "also": []}
    if verdict:
        said |= {"sinceNs": int(since_s * 1e9), "evidence": [LATE], "also": ["gc"]}
    memory.tables["reports"].write(layout.REPORT_TIMING, json.dumps(said).encode())
    return memory


def test_nothing_is_wrong_where_nobody_says_so() -> None:
    assert judgement([segment(), told(None)], NOW_NS, WALL_NS) == {}


def test_the_first_fault_of_all_processes_with_its_evidence_and_unix_time() -> None:
    said = judgement([told("gc", 48.0), told(None), told("throttle", 40.0)], NOW_NS, WALL_NS)
    assert (said["verdict"], said["evidence"], said["also"]) == ("throttle", [LATE], ["gc"])
    assert said["since"] == 1_800_000_000 - 10


def loop(memory: Segment, verdict: str, since_s: float) -> Segment:
    """``memory``, with media's word on control's event loop."""
    said = {"verdict": verdict, "sinceNs": int(since_s * 1e9), "evidence": [LATE], "also": []}
    raised = {"raised": {verdict: 2}}
    memory.tables["reports"].write(layout.REPORT_LOOP, json.dumps(said | raised).encode())
    return memory


def test_a_loop_that_blocks_itself_is_the_verdict_where_media_keeps_time() -> None:
    said = judgement([loop(told(None), "loop-block", 45.0)], NOW_NS, WALL_NS)
    assert (said["verdict"], said["evidence"]) == ("loop-block", [LATE])
    assert said["since"] == said["control"]["since"] == 1_800_000_000 - 5
    assert said["control"]["verdict"] == "loop-block"


def test_what_media_says_of_itself_comes_first() -> None:
    said = judgement([loop(told("gc", 48.0), "loop-block", 45.0)], NOW_NS, WALL_NS)
    assert (said["verdict"], said["control"]["verdict"]) == ("gc", "loop-block")


def test_a_loop_that_others_keep_from_running_is_no_verdict_on_the_pods_time() -> None:
    said = judgement([loop(told(None), "starved", 45.0)], NOW_NS, WALL_NS)
    assert "verdict" not in said
    assert said["control"]["verdict"] == "starved"


@pytest.mark.parametrize(("cause", "of_pod"), [("loop-block", 1), ("starved", 0)])
def test_the_metrics_say_the_same(cause: str, of_pod: int) -> None:
    numbers = Numbers()
    refresh_drift_metrics([loop(told(None), cause, 45.0)], numbers)
    shown = {name: numbers.values(f"voiceroom_{name}") for name in METRICS}
    assert [shown[name][cause,] for name in METRICS] == [of_pod, 2 * of_pod, 1]
    assert shown["loop_cause"]["gc",] == 0
