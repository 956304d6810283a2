"""The pod's verdict on time, from the words of its media processes."""

from __future__ import annotations

import json
from typing import Any

from fakes.door import segment
from voiceroom_mixer.control.export.drift import judgement
from voiceroom_mixer.core.state import layout
from voiceroom_mixer.edge.shm import Segment

NOW_NS, WALL_NS = 50_000_000_000, 1_800_000_000_000_000_000
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
