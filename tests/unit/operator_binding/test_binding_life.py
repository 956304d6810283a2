"""Many rooms and pods: how they spread, and what a lost node costs."""

from dataclasses import replace

from fakes.pools import Cluster, pod, room, wanted

BOTH = (pod(0, occupied=True), pod(1, occupied=True))


def test_rooms_spread_over_the_least_pods_and_leave_the_spare() -> None:
    cluster = Cluster(wanted(size_min=2))
    cluster.settle()
    cluster.add(*(room(f"r{n}") for n in range(10)))
    cluster.settle()
    counts = dict.fromkeys(cluster.pods, 0)
    for seen in cluster.rooms.values():
        counts[seen.pod] += 1
    assert sorted(counts.values()) == [0, 5, 5]


def test_a_twin_keeps_room_for_what_it_may_take_over() -> None:
    pool = wanted(capacity_rooms=2, size_max=2)
    cluster = Cluster(pool)
    cluster.add(*BOTH)
    cluster.add(*(room(f"r{n}") for n in range(4)))
    cluster.settle()
    placed = [seen for seen in cluster.rooms.values() if seen.pod]
    for name in cluster.pods:
        here = [seen for seen in placed if name in (seen.pod, seen.twin)]
        assert len(here) <= 2


def test_a_lost_node_costs_each_room_one_binding() -> None:
    cluster = Cluster(wanted(size_min=2, size_max=6))
    cluster.settle()
    cluster.add(*(room(f"r{n}", legs=3) for n in range(8)))
    cluster.settle()
    before = dict(cluster.rooms)
    lost = {name for name, seen in cluster.pods.items() if seen.node == "node-0"}
    for name in lost:
        cluster.add(replace(cluster.pods[name], ready=False, silent_s=9))
    made = cluster.bind()
    changed = {d.room for d in made.decisions if d.action == "Bind"}
    assert changed == {name for name, seen in before.items() if seen.pod in lost}
    for decision in made.decisions:
        if decision.action == "Bind":
            assert decision.pod == before[decision.room].twin
            assert decision.epoch == before[decision.room].epoch + 1
