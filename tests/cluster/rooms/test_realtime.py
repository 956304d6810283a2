"""What a pool asks of the nodes, and what it was granted: both answers of every mode."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.voice import SMALL, Voice
from localcluster import realtime
from localcluster.cluster import Cluster

pytestmark = pytest.mark.timeout(240)
WHOLE = {"limits": {"cpu": "1", "memory": "512Mi"}}
FIFO = {"mode": "Fifo", "priority": 10}


@contextmanager
def pool_of_mode(voice: Voice, mode: dict[str, Any], **spec: Any) -> Iterator[str]:
    """A pool with a room, and its pod; removed at the end, since whole CPUs are few."""
    name = mode["mode"].lower()
    voice.pool(name, realtime=mode, **spec)
    voice.room("lobby", poolName=name)
    try:
        yield name
    finally:
        voice.kubectl("delete", "voiceroom", "lobby")
        voice.kubectl("delete", "mixerpool", name, "--timeout=60s")


def granted(voice: Voice, status: str, reason: str) -> str:
    """Both the room and its pool say so; the room's words."""
    pool = voice.get("voiceroom", "lobby")["spec"]["poolName"]
    said = voice.reads("voiceroom", "lobby", "RealtimeGranted", status, reason)
    voice.reads("mixerpool", pool, "RealtimeGranted", status, reason)
    shown = voice.status("lobby")["realtime"]
    assert shown["granted"] is (status == "True")
    return said


def test_shared_asks_for_nothing_and_is_granted(shared: Voice) -> None:
    with pool_of_mode(shared, {"mode": "Shared"}):
        shared.ready("lobby")
        granted(shared, "True", "Granted")


def test_quota_is_read_back_as_the_kubelet_set_it(shared: Voice) -> None:
    with pool_of_mode(shared, {"mode": "Quota"}):
        shared.ready("lobby")
        assert "50000/100000" in granted(shared, "True", "Granted")


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="no CPU of two can be exclusive here")
def test_exclusive_has_a_cpu_of_its_own_and_no_quota(shared: Voice) -> None:
    with pool_of_mode(shared, {"mode": "Exclusive"}, resources=WHOLE):
        shared.ready("lobby")
        granted(shared, "True", "Granted")
        pod = shared.owner("lobby")
        allowed = "print(len(__import__('os').sched_getaffinity(0)))"
        assert shared.kubectl("exec", pod, "--", "python3", "-c", allowed) == "1\n"


def test_fifo_without_a_budget_is_refused_with_the_kernels_word(
    shared: Voice, machine_cluster: Cluster
) -> None:
    with pool_of_mode(shared, FIFO, resources=WHOLE):
        shared.ready("lobby")
        said = shared.reads("voiceroom", "lobby", "RealtimeGranted", "False", "RTGroupSchedBlocked")
    assert "cpu.rt_runtime_us is 0" in said


def test_fifo_that_is_required_and_refused_is_not_ready(shared: Voice) -> None:
    with pool_of_mode(shared, FIFO | {"required": True}, resources=WHOLE) as pool:
        said = shared.reads("mixerpool", pool, "RealtimeGranted", "False", "RTGroupSchedBlocked")
        assert "cpu.rt_runtime_us is 0" in said
        assert shared.condition("voiceroom", "lobby", "Ready")["status"] == "False"


def test_fifo_with_a_runtime_that_gives_a_budget_is_granted(
    shared: Voice, machine_cluster: Cluster
) -> None:
    node = machine_cluster.layout.nodes[0]
    if not realtime.share(node):
        pytest.skip("this kernel, or others on it, leave no real-time budget to give")
    with pool_of_mode(shared, FIFO, resources=WHOLE, runtimeClassName=realtime.HANDLER):
        shared.ready("lobby")
        granted(shared, "True", "Granted")
        assert shared.status("lobby")["realtime"]["mode"] == "Fifo"


def test_exclusive_with_a_part_of_a_cpu_is_refused_at_once(shared: Voice) -> None:
    with pytest.raises(Exception, match=r"whole|integer"):
        shared.pool("part", realtime={"mode": "Exclusive"}, resources=SMALL)
