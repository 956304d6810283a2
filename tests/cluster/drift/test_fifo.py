"""A stalled node under pods of mode Fifo: media keeps time, so nobody is moved."""

from __future__ import annotations

import os

import pytest

from harness.drift import EAGER, a_call, node_of
from harness.voice import Voice
from localcluster import realtime

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.usefixtures("resting"),
    pytest.mark.skipif(
        len(os.sched_getaffinity(0)) < 2, reason="no CPU of two can be exclusive here"
    ),
]
FIFO = {"mode": "Fifo", "priority": 10}
WHOLE_CPU = {"limits": {"cpu": "1", "memory": "512Mi"}}
STALL_S = 8
PAUSE_MS = 60
"""Three frames: a pod of mode Quota pauses for 95 ms at a time, again and again."""


@pytest.mark.timing
def test_media_keeps_time_on_a_stalled_node_and_stays(watched: Voice) -> None:
    """That control waits for its CPU meanwhile is no reason (docs/detectors.md)."""
    if not all(realtime.share(node) for node in watched.machine.layout.nodes):
        pytest.skip("this kernel, or others on it, leave no real-time budget to give")
    fifo = {"realtime": FIFO, "resources": WHOLE_CPU, "runtimeClassName": realtime.HANDLER}
    with a_call(watched, remediation=EAGER, **fifo) as call:
        watched.reads("voiceroom", "lobby", "RealtimeGranted", "True", "Granted")
        pod, begun = call.pod, len(call.bob.heard)
        with realtime.stalled(node_of(watched, call.node)):
            call.bob.wait_packets(50 * STALL_S, timeout_s=3 * STALL_S)
            said = watched.condition("voiceroom", "lobby", "TimingHealthy")
        found = call.passage(begun)
        print(f"Fifo on a stalled node: {found}; {dict(said)}")
        assert said["status"] == "True", dict(said)
        assert found.gap_ms < PAUSE_MS
        assert (found.lost, found.repeated, found.streams) == (0, 0, 1)
        call.goes_on()
        assert call.pod == pod
