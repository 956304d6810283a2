"""A pool over some time: rollouts, ends, first rooms."""

from dataclasses import replace
from typing import Any

from fakes.pools import NOW_S, Cluster, bound, nodes, pod, room, wanted
from voiceroom_operator.observed import NodeSeen

OLD: dict[str, Any] = {"revision": "r0"}
BUSY: dict[str, Any] = {"occupied": True}


def test_a_rollout_replaces_everything_and_is_never_below_what_is_needed() -> None:
    cluster = Cluster(wanted(size_min=3))
    cluster.settle()
    cluster.pool = replace(cluster.pool, revision="r2")
    for _ in range(60):
        if not cluster.step() and not cluster.start():
            break
        assert sum(p.ready for p in cluster.pods.values()) >= 4
        assert len(cluster.pods) <= 5
    assert {p.revision for p in cluster.pods.values()} == {"r2"}
    assert len(cluster.pods) == 4


def test_a_rollout_lets_people_finish() -> None:
    cluster = Cluster(wanted())
    cluster.add(pod(0, **OLD, **BUSY), pod(1, **OLD), bound("r", 0, legs=2))
    cluster.settle()
    old = cluster.pods["voiceroom-p-0"]
    assert (old.revision, old.drain_reason) == ("r0", "Rollout")
    assert cluster.rooms["r"].pod == old.name
    cluster.add(replace(cluster.rooms["r"], legs=0))
    cluster.settle()
    assert {p.revision for p in cluster.pods.values()} == {"r1"}
    assert cluster.rooms["r"].pod in cluster.pods


def test_a_deleted_pool_ends_with_its_rooms_told_so() -> None:
    cluster = Cluster(wanted(deleting=True))
    cluster.add(pod(0, **BUSY), pod(1), bound("r", 0, legs=2))
    cluster.settle()
    assert list(cluster.pods) == ["voiceroom-p-0"]
    assert cluster.rooms["r"].pod == "voiceroom-p-0"
    cluster.now_s += cluster.pool.drain_s
    cluster.settle()
    assert not cluster.pods
    assert not cluster.pool.has_finalizer
    assert [(u.room, u.reason) for u in cluster.bind().unplaced] == [("r", "PoolNotFound")]


def test_a_deleted_pool_does_not_wait_for_lost_pods() -> None:
    cluster = Cluster(wanted(deleting=True), nodes=nodes(NodeSeen("node-0", ready=False)))
    cluster.add(pod(0, ready=False, silent_s=99, **BUSY), bound("r", 0, legs=2))
    cluster.settle()
    assert not cluster.pool.has_finalizer


def test_who_is_emptied_is_idle_from_then_on() -> None:
    cluster = Cluster(wanted(size_min=0))
    cluster.add(pod(0, **BUSY), pod(1))
    cluster.settle()
    assert set(cluster.pods) == {"voiceroom-p-0"}
    assert cluster.pods["voiceroom-p-0"].idle_since_s == NOW_S


def test_the_first_room_of_an_idle_pool_makes_a_spare() -> None:
    cluster = Cluster(wanted(size_min=0, spare=1))
    cluster.settle()
    cluster.add(room("r"))
    cluster.settle()
    assert cluster.rooms["r"].pod
    assert len(cluster.pods) == 2
