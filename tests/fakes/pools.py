"""A cluster in values: it does what plans say, and pods become Ready when told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from voiceroom_operator.binding.decisions import BindingPlan, carried_out
from voiceroom_operator.binding.planner import Bindings, plan_bindings
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import NodeSeen, PodSeen, RoomSeen
from voiceroom_operator.pool.actions import PoolPlan
from voiceroom_operator.pool.crew import Demand, PoolObserved
from voiceroom_operator.pool_plan import plan
from voiceroom_operator.wanted import PoolWanted, PortRange

NOW_S = 1_800_000_000.0
LONG_AGO_S = NOW_S - 3600.0


def wanted(**fields: Any) -> PoolWanted:
    usual: dict[str, Any] = {
        "name": "p",
        "uid": "pool",
        "revision": "r1",
        "ports": PortRange(20_000, 64),
    }
    return PoolWanted(**(usual | fields))


def pod(ordinal: int, **fields: Any) -> PodSeen:
    """A Ready one of long ago; its port is 20000 + ordinal, its node one of two by turns."""
    usual: dict[str, Any] = {
        "name": f"voiceroom-p-{ordinal}",
        "uid": f"uid-{ordinal}",
        "pool": "p",
        "revision": "r1",
        "created_s": LONG_AGO_S,
        "node": f"node-{ordinal % 2}",
        "ports": (20_000 + ordinal,),
        "ready": True,
    }
    return PodSeen(**(usual | fields))


def room(name: str, **fields: Any) -> RoomSeen:
    return RoomSeen(**({"name": name, "uid": f"uid-{name}", "pool": "p"} | fields))


def bound(name: str, ordinal: int, **fields: Any) -> RoomSeen:
    usual = {"pod": f"voiceroom-p-{ordinal}", "epoch": 1, "saw_pool": True}
    return room(name, **(usual | fields))


def nodes(*seen: NodeSeen) -> dict[str, NodeSeen]:
    """node-0 and node-1, or what is given of them."""
    both = {f"node-{i}": NodeSeen(f"node-{i}") for i in range(2)}
    return both | {node.name: node for node in seen}


@dataclass
class Cluster:
    """One pool and its rooms."""

    pool: PoolWanted
    pods: dict[str, PodSeen] = field(default_factory=dict)
    rooms: dict[str, RoomSeen] = field(default_factory=dict)
    nodes: dict[str, NodeSeen] | None = field(default_factory=nodes)
    limits: Limits = field(default_factory=Limits)
    now_s: float = NOW_S
    made: int = 0
    given: dict[tuple[str, int], str] = field(default_factory=dict)
    """Who got each epoch of each room."""
    bindings: Bindings | None = None
    told: dict[str, RoomSeen] = field(default_factory=dict)
    """As ``bindings`` was told last."""

    def add(self, *things: PodSeen | RoomSeen) -> None:
        for thing in things:
            if isinstance(thing, PodSeen):
                self.pods[thing.name] = thing
            else:
                self.rooms[thing.name] = thing

    def bind(self) -> BindingPlan:
        """Whoever remembers the plans before decides as one who does not."""
        known = (list(self.pods.values()), [self.pool], self.nodes)
        made = plan_bindings(self.rooms.values(), *known, self.limits, self.now_s)
        self.bindings = self.bindings or Bindings(self.limits)
        self.told = self.told if self.told == self.rooms else dict(self.rooms)
        assert self.bindings.plan(self.told, *known, self.now_s) == made
        return made

    def size(self, binding: BindingPlan) -> PoolPlan:
        return plan(self.pool, self.observed(binding), self.limits, self.now_s)

    def observed(self, binding: BindingPlan) -> PoolObserved:
        return PoolObserved(
            pods=tuple(self.pods.values()),
            nodes=self.nodes,
            demand=binding.demand.get(self.pool.name, Demand()),
            bound=binding.bound,
            reserved=frozenset(r.pod for r in self.rooms.values() if r.pod),
        )

    def step(self) -> bool:
        """One reconcile; whether it did anything. Deleted pods are gone at once."""
        binding = self.bind()
        sizing = self.size(binding)
        self.carry_out(binding)
        self.apply(sizing)
        return not (binding.is_empty() and sizing.is_empty())

    def carry_out(self, binding: BindingPlan) -> None:
        for name in binding.occupy:
            self.pods[name] = replace(self.pods[name], occupied=True)
        for decision in binding.decisions:
            if decision.pod:
                key = (decision.room, decision.epoch)
                assert self.given.setdefault(key, decision.pod) == decision.pod
            self.rooms[decision.room] = carried_out(self.rooms[decision.room], decision)

    def apply(self, sizing: PoolPlan) -> None:
        if sizing.finalizer == "add":
            self.pool = replace(self.pool, has_finalizer=True)
        for patch in sizing.patch:
            self.pods[patch.name] = _patched(self.pods[patch.name], patch, self.now_s)
        for birth in sizing.create:
            assert birth.name not in self.pods
            self.made += 1
            self.pods[birth.name] = PodSeen(
                name=birth.name,
                uid=f"made-{self.made}",
                pool=self.pool.name,
                revision=self.pool.revision,
                created_s=self.now_s,
                ports=birth.ports,
            )
        for death in sizing.delete:
            assert self.pods.pop(death.name).uid == death.uid
        if sizing.finalizer == "release":
            self.pool = replace(self.pool, has_finalizer=False)

    def settle(self, steps: int = 60) -> None:
        """Until nothing is to be done; pods become Ready between two steps, time stands still."""
        for _ in range(steps):
            if not self.step() and not self.start():
                return
        raise AssertionError("it does not come to rest")

    def start(self) -> bool:
        """Every pod that waits gets a node that takes pods, and is Ready; whether any waited."""
        open_nodes = [n.name for n in (self.nodes or nodes()).values() if n.schedulable]
        waiting = [p for p in self.pods.values() if not p.ready and not p.failed and not p.stuck]
        for at, seen in enumerate(waiting):
            node = seen.node or open_nodes[(at + len(self.pods)) % len(open_nodes)]
            self.pods[seen.name] = replace(seen, ready=True, node=node)
        return bool(waiting)


def _patched(seen: PodSeen, patch: Any, now_s: float) -> PodSeen:
    assert seen.uid == patch.uid
    if patch.occupied is not None:
        idle_since_s = None if patch.occupied else now_s
        seen = replace(seen, occupied=patch.occupied, idle_since_s=idle_since_s)
    if patch.drain is not None:
        since_s = now_s if patch.drain else None
        seen = replace(seen, drain_reason=patch.drain, drain_since_s=since_s)
    return seen


def names(things: Iterable[Any]) -> list[str]:
    return [thing.name for thing in things]
