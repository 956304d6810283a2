"""Objects of the cluster become the planners' values, spoilt ones as well."""

from typing import Any

import pytest

from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_operator.children.marks import PoolRef
from voiceroom_operator.children.patches import pod_patch
from voiceroom_operator.children.pod import PodDefaults, pod
from voiceroom_operator.observed import Held, NodeSeen
from voiceroom_operator.pool.actions import PatchPod
from voiceroom_operator.pool.naming import pool_of
from voiceroom_operator.reading.pods import PodReport, node_seen, pod_seen
from voiceroom_operator.reading.rooms import pool_seen, room_seen
from voiceroom_operator.wanted import PortRange

POOL = PoolRef("p", "n", "u")


def body(**status: Any) -> dict[str, Any]:
    """What the builder makes, as the API server has it."""
    made = pod(POOL, MixerPoolSpec(), "voiceroom-p-3", (20_480,), "r1", PodDefaults("image"))
    made["metadata"] |= {"uid": "uid-3", "creationTimestamp": "2026-11-23T12:00:00Z"}
    made["spec"]["nodeName"] = "node-1"
    return made | {"status": status}


def is_true(kind: str) -> dict[str, str]:
    return {"type": kind, "status": "True"}


def test_a_pod_that_was_built_is_read_back() -> None:
    report = PodReport(holds=(Held("r", 1),), relays=2, headroom=0.7, silent_s=1.5)
    seen = pod_seen(body(phase="Running", conditions=[is_true("Ready")]), report)
    assert (seen.name, seen.uid, seen.pool, seen.revision) == ("voiceroom-p-3", "uid-3", "p", "r1")
    assert (seen.node, seen.ports, seen.ready, seen.occupied) == ("node-1", (20_480,), True, False)
    assert seen.created_s == 1_795_435_200.0
    assert (seen.holds, seen.relays, seen.headroom, seen.silent_s) == (
        (Held("r", 1),),
        2,
        0.7,
        1.5,
    )


def patched(made: dict[str, Any], patch: PatchPod, now_s: float) -> dict[str, Any]:
    """A JSON merge patch, as far as it goes here."""
    for part, values in pod_patch(patch, now_s)["metadata"].items():
        if isinstance(values, dict):
            made["metadata"][part] |= values
    return made


def test_marks_that_were_written_are_read_back() -> None:
    made = patched(body(), PatchPod("", "", occupied=True, drain="Rollout"), 1_800_000_000.5)
    seen = pod_seen(made)
    assert (seen.occupied, seen.drain_since_s, seen.drain_reason) == (
        True,
        1_800_000_000.0,
        "Rollout",
    )
    seen = pod_seen(patched(made, PatchPod("", "", occupied=False, drain=""), 1_800_000_100.0))
    assert (seen.occupied, seen.drain_since_s, seen.drain_reason) == (False, None, "")
    assert seen.idle_since_s == 1_800_000_100.0


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_never_comes_back(phase: str) -> None:
    assert pod_seen(body(phase=phase)).failed


def test_a_pod_on_its_way_out() -> None:
    assert pod_seen(body(conditions=[is_true("DisruptionTarget")])).disrupted
    made = body()
    made["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:00Z"
    assert pod_seen(made).deleting


@pytest.mark.parametrize(
    ("message", "stuck"),
    [
        ("0/2 nodes are available: 2 node(s) didn't have free ports for the pod ports.", "Ports"),
        ("0/2 nodes are available: 2 Insufficient cpu.", "Unschedulable"),
    ],
)
def test_why_no_node_is_found(message: str, stuck: str) -> None:
    scheduled = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": message,
    }
    assert pod_seen(body(conditions=[scheduled])).stuck == stuck


@pytest.mark.parametrize(
    "spoilt",
    [
        {"voiceroom.dev/draining": "yesterday Rollout"},
        {"voiceroom.dev/draining": "17 Whim"},
        {"voiceroom.dev/draining": "17"},
        {"voiceroom.dev/idle-since": "never"},
        {"voiceroom.dev/ports": "a-b"},
        {"voiceroom.dev/ports": "1-99999999"},
        {"voiceroom.dev/ports": None},
    ],
)
def test_spoilt_marks_count_as_absent(spoilt: dict[str, str | None]) -> None:
    made = body()
    made["metadata"]["annotations"] |= spoilt
    seen = pod_seen(made)
    assert (seen.drain_since_s, seen.drain_reason, seen.idle_since_s) == (None, "", None)
    assert seen.ports in ((), (20_480,))


def test_a_bare_pod_is_read() -> None:
    seen = pod_seen({"metadata": {"name": "x", "uid": "y"}})
    assert (seen.pool, seen.revision, seen.created_s, seen.ready) == ("", "", 0.0, False)


@pytest.mark.parametrize(
    ("spec", "ready", "seen"),
    [
        ({}, "True", NodeSeen("n")),
        ({"unschedulable": True}, "True", NodeSeen("n", schedulable=False)),
        ({}, "Unknown", NodeSeen("n", ready=False)),
        (
            {"taints": [{"key": "ToBeDeletedByClusterAutoscaler", "effect": "NoSchedule"}]},
            "True",
            NodeSeen("n", schedulable=False),
        ),
        ({"taints": [{"key": "gpu", "effect": "NoSchedule"}]}, "True", NodeSeen("n")),
    ],
)
def test_nodes(spec: dict[str, Any], ready: str, seen: NodeSeen) -> None:
    status = {"conditions": [{"type": "Ready", "status": ready}]}
    assert node_seen({"metadata": {"name": "n"}, "spec": spec, "status": status}) == seen


def room(status: dict[str, Any], pool: str = "p") -> Any:
    metadata = {"name": "r", "uid": "u", "creationTimestamp": "2026-11-23T12:00:00+00:00"}
    spec = VoiceRoomSpec(pool_name=pool, placement="Dedicated")
    return room_seen({"metadata": metadata, "status": status}, spec, legs=3)


def test_a_room_is_read_with_its_binding() -> None:
    seen = room({"podName": "voiceroom-p-0", "twinPodName": "voiceroom-p-1", "epoch": 4})
    assert (seen.pod, seen.twin, seen.epoch, seen.legs, seen.dedicated) == (
        "voiceroom-p-0",
        "voiceroom-p-1",
        4,
        3,
        True,
    )
    assert seen.saw_pool


def test_a_room_that_was_in_another_pool_has_not_seen_this_one() -> None:
    status = {"podName": "voiceroom-p-0", "epoch": 4}
    assert not room(status, pool="default").saw_pool
    assert not room({}, pool="default").saw_pool


def test_a_room_that_was_told_so_has_seen_its_pool_go() -> None:
    conditions = [{"type": "Ready", "status": "False", "reason": "PoolNotFound"}]
    assert room({"conditions": conditions}).saw_pool


@pytest.mark.parametrize(
    ("name", "pool"),
    [
        ("voiceroom-p-0", "p"),
        ("voiceroom-a-1-12", "a-1"),
        ("voiceroom-p", ""),
        ("other-0", ""),
        ("", ""),
    ],
)
def test_the_pool_of_a_pod_by_its_name(name: str, pool: str) -> None:
    assert pool_of(name) == pool


def test_pools() -> None:
    metadata = {"name": "p", "uid": "u", "finalizers": ["voiceroom.dev/drain"]}
    wanted = pool_seen({"metadata": metadata}, MixerPoolSpec(), "r1")
    assert (wanted.size_min, wanted.size_max, wanted.spare, wanted.drain_s) == (1, 10, 1, 600.0)
    assert (wanted.capacity_rooms, wanted.capacity_participants) == (100, 500)
    assert wanted.ports == PortRange(20_478, 64, 1)
    assert wanted.has_finalizer
    assert not wanted.deleting
