"""Histories of a pool that nobody thought of: plans come to rest and keep their promises."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.pools import Cluster, nodes, room, wanted
from voiceroom_operator.binding.decisions import BindingPlan
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Held, NodeSeen, RoomSeen
from voiceroom_operator.pool.actions import PoolPlan
from voiceroom_operator.pool.crew import muster
from voiceroom_operator.wanted import PortRange

POOLS = st.builds(
    lambda low, more, spare, rooms, ports: wanted(
        size_min=low,
        size_max=max(low + more, spare),
        spare=spare,
        capacity_rooms=rooms,
        capacity_participants=40,
        ports=ports,
    ),
    st.integers(0, 3),
    st.integers(0, 4),
    st.integers(0, 2),
    st.integers(1, 5),
    st.sampled_from([None, PortRange(20_000, 3), PortRange(20_000, 64, 3)]),
)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "add",
                "add",
                "dedicate",
                "remove",
                "fill",
                "empty",
                "lose",
                "vanish",
                "fail",
                "cordon",
                "uncordon",
                "roll",
                "take over",
                "step",
                "start",
                "wait",
            ]
        ),
        st.integers(0, 7),
    ),
    max_size=30,
)


class History:
    """A cluster to which things happen."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.count = 0

    def happen(self, what: str, which: int) -> None:
        getattr(self, what.replace(" ", "_"))(which)

    def pick(self, things: dict[str, Any], which: int) -> Any:
        return things[sorted(things)[which % len(things)]] if things else None

    def a_room(self, which: int, **fields: Any) -> None:
        seen = self.pick(self.cluster.rooms, which)
        if seen is not None:
            self.cluster.add(replace(seen, **fields))

    def a_pod(self, which: int, **fields: Any) -> None:
        seen = self.pick(self.cluster.pods, which)
        if seen is not None:
            self.cluster.add(replace(seen, **fields))

    def add(self, which: int) -> None:
        self.count += 1
        self.cluster.add(room(f"r{self.count}", created_s=float(self.count)))

    def dedicate(self, which: int) -> None:
        self.a_room(which, dedicated=True)

    def remove(self, which: int) -> None:
        seen = self.pick(self.cluster.rooms, which)
        if seen is not None:
            del self.cluster.rooms[seen.name]

    def fill(self, which: int) -> None:
        self.a_room(which, legs=which)

    def empty(self, which: int) -> None:
        self.a_room(which, legs=0)

    def lose(self, which: int) -> None:
        self.a_pod(which, ready=False, silent_s=60.0, holds=())

    def vanish(self, which: int) -> None:
        seen = self.pick(self.cluster.pods, which)
        if seen is not None:
            del self.cluster.pods[seen.name]

    def fail(self, which: int) -> None:
        self.a_pod(which, ready=False, failed=True, holds=())

    def cordon(self, which: int) -> None:
        self.cluster.nodes = nodes(NodeSeen(f"node-{which % 2}", schedulable=False))

    def uncordon(self, which: int) -> None:
        self.cluster.nodes = nodes()

    def roll(self, which: int) -> None:
        self.cluster.pool = replace(self.cluster.pool, revision=f"v{which}")

    def take_over(self, which: int) -> None:
        """The twin does what it may: it takes the next epoch without asking."""
        seen: RoomSeen | None = self.pick(self.cluster.rooms, which)
        if seen is None or seen.twin not in self.cluster.pods:
            return
        key = (seen.name, seen.epoch + 1)
        assert self.cluster.given.setdefault(key, seen.twin) == seen.twin
        twin = self.cluster.pods[seen.twin]
        self.cluster.add(replace(twin, holds=(*twin.holds, Held(seen.name, seen.epoch + 1))))

    def step(self, which: int) -> None:
        binding = self.cluster.bind()
        sizing = self.cluster.size(binding)
        carries(self.cluster, binding)
        ends_nobody(self.cluster, sizing)
        self.cluster.apply(sizing)

    def start(self, which: int) -> None:
        for seen in list(self.cluster.pods.values()):
            if seen.silent_s:
                self.cluster.add(replace(seen, silent_s=0.0))
        self.cluster.start()

    def wait(self, which: int) -> None:
        self.cluster.now_s += 200.0


def lived(pool: Any, events: list[tuple[str, int]], limits: Limits) -> History:
    history = History(Cluster(pool, limits=limits))
    for what, which in events:
        history.happen(what, which)
    return history


def carries(cluster: Cluster, binding: BindingPlan) -> None:
    """Carry it out: no pod that got something is above its caps, its duty as a twin included, and
    who is to be alone is."""
    before = dict(cluster.rooms)
    cluster.carry_out(binding)
    grown = {d.pod for d in binding.decisions} | {d.twin for d in binding.decisions}
    for name in grown - {""}:
        here = [r for r in cluster.rooms.values() if name in (r.pod, r.twin)]
        if len(here) > sum(name in (r.pod, r.twin) for r in before.values()):
            assert len(here) <= cluster.pool.capacity_rooms
            assert sum(r.legs for r in here) <= cluster.pool.capacity_participants
    for decision in binding.decisions:
        owned = [r for r in cluster.rooms.values() if r.pod == decision.pod]
        if decision.action == "Bind" and cluster.rooms[decision.room].dedicated:
            assert [r.name for r in owned] == [decision.room]


def ends_nobody(cluster: Cluster, sizing: PoolPlan) -> None:
    """No pod with rooms ends before its time."""
    for death in sizing.delete:
        seen = cluster.pods[death.name]
        overdue = seen.drain_since_s is not None and cluster.now_s >= seen.drain_since_s + 600
        has_rooms = any(r.pod == death.name for r in cluster.rooms.values())
        assert not has_rooms or overdue or seen.failed


@settings(max_examples=60)
@given(POOLS, EVENTS)
def test_plans_come_to_rest(pool: Any, events: list[tuple[str, int]]) -> None:
    """And on the way there every step keeps the caps, the placements and the people."""
    history = lived(pool, events, Limits())
    history.start(0)
    history.cluster.settle()
    assert history.cluster.bind().decisions == ()


@settings(max_examples=60)
@given(POOLS, EVENTS, st.integers(1, 3), st.integers(1, 3))
def test_plans_stay_within_their_budgets(
    pool: Any, events: list[tuple[str, int]], creates: int, pending: int
) -> None:
    limits = Limits(creates=creates, pending=pending, decisions=3)
    cluster = lived(pool, events, limits).cluster
    binding = cluster.bind()
    sizing = cluster.size(binding)
    crew = muster(cluster.pool, cluster.observed(binding), limits)
    assert len(binding.decisions) <= 3
    assert len(sizing.create) <= creates
    assert not sizing.create or len(crew.unready) + len(sizing.create) <= pending
    assert len(crew.live) + len(sizing.create) <= max(cluster.pool.size_max + 1, len(crew.live))


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "lose", "start", "take over", "step", "step", "vanish"]),
        st.integers(0, 5),
    ),
    max_size=40,
)


@settings(max_examples=200)
@given(STEPS)
def test_an_epoch_belongs_to_one_pod(events: list[tuple[str, int]]) -> None:
    """Whoever takes over whenever, heard of or not; the fake cluster checks each number."""
    history = History(Cluster(wanted(size_min=4)))
    history.cluster.settle()
    for what, which in [("add", 0), ("add", 0), ("step", 0), *events, ("step", 0)]:
        history.happen(what, which)


@settings(max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["add", "dedicate", "fill"]), st.integers(0, 12))))
def test_pods_are_filled_up_to_their_caps_and_no_further(events: list[tuple[str, int]]) -> None:
    history = History(
        Cluster(wanted(size_min=1, size_max=3, capacity_rooms=3, capacity_participants=20))
    )
    history.cluster.settle()
    for what, which in events:
        history.happen(what, which)
        history.step(0)


@settings(max_examples=60)
@given(POOLS, EVENTS)
def test_ports_of_a_node_are_dealt_once(pool: Any, events: list[tuple[str, int]]) -> None:
    """While there are free ones no two pods have the same, wherever they will run."""
    cluster = lived(pool, events, Limits()).cluster
    held = [seen.ports for seen in cluster.pods.values()]
    blocks = len(cluster.pool.ports.blocks()) if cluster.pool.ports else 0
    if blocks >= 64:
        assert len(set(held)) == len(held)
    for ports in held:
        assert held.count(ports) <= 2 or not ports
