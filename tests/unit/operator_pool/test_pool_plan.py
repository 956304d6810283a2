"""The pool's plan, case by case: what there is, and what is to be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from fakes.pools import NOW_S, names, nodes, pod, wanted
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Held, NodeSeen, PodSeen
from voiceroom_operator.pool.actions import CreatePod, PatchPod, PoolPlan
from voiceroom_operator.pool.crew import Demand, PoolObserved
from voiceroom_operator.pool_plan import plan
from voiceroom_operator.wanted import PoolWanted, PortRange

CORDONED = nodes(NodeSeen("node-0", schedulable=False))


@dataclass(frozen=True)
class Case:
    """``create`` and ``delete`` are ordinals, ``patch`` (ordinal, occupied, drain)."""

    desc: str
    pool: PoolWanted = field(default_factory=wanted)
    pods: tuple[PodSeen, ...] = ()
    bound: Mapping[int, int] = field(default_factory=dict)
    demand: Demand = field(default_factory=Demand)
    nodes: Mapping[str, NodeSeen] | None = field(default_factory=nodes)
    limits: Limits = field(default_factory=Limits)
    reserved: frozenset[str] = frozenset()
    create: tuple[int, ...] = ()
    delete: tuple[int, ...] = ()
    patch: tuple[tuple[int, bool | None, str | None], ...] = ()
    finalizer: str = ""
    requeue_s: float | None = None
    notes: tuple[str, ...] = ()

    def plan(self) -> PoolPlan:
        observed = PoolObserved(
            pods=self.pods,
            nodes=self.nodes,
            demand=self.demand,
            bound={f"voiceroom-p-{n}": count for n, count in self.bound.items()},
            reserved=self.reserved,
        )
        return plan(self.pool, observed, self.limits, NOW_S)


OLD = {"revision": "r0"}
BUSY = {"occupied": True}


def drained(seconds: int) -> PodSeen:
    """Pod 0, out of service for so long with people in it."""
    since_s = NOW_S - seconds
    return pod(0, drain_since_s=since_s, drain_reason="NodeLeaving", **BUSY)


NEW_AND_STUCK = pod(9, ready=False, node="", stuck="Unschedulable")

CASES = [
    Case("an empty pool gets min and spare", create=(0, 1)),
    Case("min 0 and no spare needs none", wanted(size_min=0, spare=0)),
    Case("min 0 keeps the spare", wanted(size_min=0), create=(0,)),
    Case("max caps min and spare", wanted(size_min=3, size_max=3), create=(0, 1, 2)),
    Case("as it should be", pods=(pod(0), pod(1))),
    Case("the free ordinal is taken again", pods=(pod(1),), create=(0,)),
    Case(
        "not while a room is still bound to that name",
        pods=(pod(1),),
        reserved=frozenset({"voiceroom-p-0"}),
        create=(2,),
    ),
    Case("a deleted pod keeps its name", pods=(pod(0, deleting=True), pod(1)), create=(2,)),
    Case("pods on their way count", pods=(pod(0, ready=False), pod(1, ready=False))),
    Case(
        "each pod with rooms counts, and a spare beside",
        pods=(pod(0, **BUSY), pod(1, **BUSY)),
        bound={0: 3, 1: 1},
        create=(2,),
    ),
    Case("rooms that wait ask for pods", demand=Demand(rooms=150), create=(0, 1, 2)),
    Case("people in them do as well", demand=Demand(rooms=2, legs=900), create=(0, 1, 2)),
    Case("each dedicated room asks for one", demand=Demand(dedicated=2), create=(0, 1, 2)),
    Case(
        "what max forbids is said",
        wanted(size_max=2),
        pods=(pod(0, **BUSY), pod(1, **BUSY)),
        bound={0: 1, 1: 1},
        demand=Demand(rooms=1),
        notes=("NoCapacity",),
    ),
    Case(
        "creations are bounded in one plan",
        wanted(size_min=9),
        create=(0, 1, 2, 3, 4),
        requeue_s=1.0,
    ),
    Case(
        "and so are those on their way",
        wanted(size_min=3),
        pods=(pod(0, ready=False),),
        limits=Limits(pending=2),
        create=(1,),
        requeue_s=1.0,
    ),
    Case(
        "idle pods above min and spare go, the last first",
        pods=(pod(0), pod(1), pod(2)),
        delete=(2,),
    ),
    Case(
        "not before they were idle for a while",
        pods=(pod(0), pod(1), pod(2, idle_since_s=NOW_S - 20)),
        requeue_s=40.0,
    ),
    Case(
        "a pod with rooms is not one too many",
        wanted(size_min=0, spare=0),
        pods=(pod(0), pod(1, **BUSY)),
        bound={1: 1},
        delete=(0,),
    ),
    Case(
        "nor one that relays",
        wanted(size_min=0, spare=0),
        pods=(pod(0, relays=1, occupied=True),),
    ),
    Case(
        "who is not ready goes first",
        pods=(pod(0, ready=False), pod(1), pod(2)),
        delete=(0,),
    ),
    Case(
        "and who is nobody's twin before one that is",
        pods=(pod(0), pod(1), pod(2, holds=(Held("r", 1, "twin"),))),
        delete=(1,),
    ),
    Case(
        "the label follows the rooms",
        pods=(pod(0), pod(1, **BUSY)),
        bound={0: 1},
        patch=((0, True, None), (1, False, None)),
    ),
    Case(
        "a pod's own word counts as well",
        pods=(pod(0, holds=(Held("r", 1),)), pod(1)),
        patch=((0, True, None),),
    ),
    Case("to be a twin is not to have rooms", pods=(pod(0, holds=(Held("r", 1, "twin"),)), pod(1))),
    Case("a failed pod is replaced", pods=(pod(0, failed=True, ready=False), pod(1)), delete=(0,)),
    Case(
        "one that failed at once keeps its place for a while",
        pods=(pod(0, failed=True, ready=False, created_s=NOW_S - 10), pod(1)),
        requeue_s=20.0,
    ),
    Case(
        "a crashing pod is left to its kubelet",
        pods=(pod(0, ready=False, silent_s=99), pod(1)),
    ),
    Case(
        "a silent pod on a silent node is replaced and left to Kubernetes",
        pods=(pod(0, ready=False, silent_s=99), pod(1)),
        nodes=nodes(NodeSeen("node-0", ready=False)),
        create=(2,),
    ),
    Case(
        "a stopped kubelet alone costs nothing",
        pods=(pod(0, ready=False), pod(1)),
        nodes=nodes(NodeSeen("node-0", ready=False)),
    ),
    Case(
        "a cordoned node's pod with rooms is drained and replaced",
        pods=(pod(0, **BUSY), pod(1)),
        bound={0: 1},
        nodes=CORDONED,
        create=(2,),
        patch=((0, None, "NodeLeaving"),),
    ),
    Case(
        "its idle pod stays until it is replaced",
        pods=(pod(0), pod(1)),
        nodes=CORDONED,
        create=(2,),
    ),
    Case("and then goes", pods=(pod(0), pod(1), pod(3)), nodes=CORDONED, delete=(0,)),
    Case(
        "uncordoned, it serves again",
        pods=(pod(0, drain_since_s=NOW_S - 5, drain_reason="NodeLeaving", **BUSY), pod(1)),
        bound={0: 1},
        patch=((0, None, ""),),
    ),
    Case(
        "drained and empty, it ends",
        pods=(pod(0, drain_since_s=NOW_S, drain_reason="NodeLeaving"), pod(1), pod(3)),
        nodes=CORDONED,
        delete=(0,),
    ),
    Case(
        "with people in it ends after its deadline only",
        pods=(
            pod(0, drain_since_s=NOW_S - 500, drain_reason="NodeLeaving", **BUSY),
            pod(1),
            pod(3),
        ),
        bound={0: 1},
        nodes=CORDONED,
        requeue_s=130.0,
    ),
    Case(
        "but then it does",
        pods=(
            pod(0, drain_since_s=NOW_S - 630, drain_reason="NodeLeaving", **BUSY),
            pod(1),
            pod(3),
        ),
        bound={0: 1},
        nodes=CORDONED,
        delete=(0,),
    ),
    Case(
        "about to be disrupted is like cordoned",
        pods=(pod(0, disrupted=True, **BUSY), pod(1), pod(2)),
        bound={0: 1},
        nodes=None,
        patch=((0, None, "NodeLeaving"),),
    ),
    Case("a rollout begins with one more", pods=(pod(0, **OLD), pod(1, **OLD)), create=(2,)),
    Case("it waits until that is ready", pods=(pod(0, **OLD), pod(1, **OLD), pod(2, ready=False))),
    Case(
        "then an idle old one ends and the next begins",
        pods=(pod(0, **OLD), pod(1, **OLD), pod(2)),
        create=(3,),
        delete=(1,),
    ),
    Case(
        "one with rooms is drained",
        pods=(pod(0, **OLD, **BUSY), pod(1), pod(2)),
        bound={0: 1},
        patch=((0, None, "Rollout"),),
    ),
    Case(
        "one at a time",
        pods=(
            pod(0, drain_since_s=NOW_S, drain_reason="Rollout", **OLD, **BUSY),
            pod(1, **OLD, **BUSY),
            pod(2),
            pod(3),
        ),
        bound={0: 1, 1: 1},
        requeue_s=630.0,
    ),
    Case(
        "the emptier first",
        pods=(pod(0, **OLD, **BUSY), pod(1, **OLD, **BUSY), pod(2), pod(3)),
        bound={0: 7, 1: 2},
        patch=((1, None, "Rollout"),),
    ),
    Case(
        "taken back, the old one serves again",
        pods=(pod(0, drain_since_s=NOW_S, drain_reason="Rollout", **BUSY), pod(1), pod(2)),
        bound={0: 1},
        delete=(2,),
        patch=((0, None, ""),),
    ),
    Case(
        "a bad image that never was ready goes at once",
        pods=(pod(0), pod(1), pod(2, ready=False, revision="r0")),
        delete=(2,),
    ),
    Case(
        "where no more fits, an idle one makes way",
        pods=(pod(0, **OLD), pod(1, **OLD), NEW_AND_STUCK),
        create=(2,),
        delete=(1,),
    ),
    Case(
        "but none that is needed",
        wanted(spare=0, size_min=2),
        pods=(pod(0, **OLD, **BUSY), pod(1, **OLD, **BUSY), NEW_AND_STUCK),
        bound={0: 1, 1: 1},
        notes=("RolloutBlocked",),
    ),
    Case("a port out of the range is outdated", pods=(pod(0, ports=(9_999,)), pod(1)), create=(2,)),
    Case(
        "another block for one whose ports are taken",
        pods=(pod(0), pod(1, ready=False, stuck="Ports")),
        create=(2,),
    ),
    Case(
        "and the first goes once it is not needed",
        pods=(pod(0), pod(1, ready=False, stuck="Ports"), pod(2)),
        delete=(1,),
    ),
    Case(
        "no end of them is made",
        pods=(pod(0), *(pod(n, ready=False, stuck="Ports") for n in (1, 2, 3))),
        notes=("PortsTaken",),
    ),
    Case(
        "no more pods than ports",
        wanted(ports=PortRange(20_000, 1), size_min=5),
        create=(0, 1),
        notes=("PortsExhausted",),
    ),
    Case(
        "a new pool gets its finalizer",
        wanted(has_finalizer=False, size_min=0, spare=0),
        finalizer="add",
    ),
    Case(
        "a deleted pool drains",
        wanted(deleting=True),
        pods=(pod(0, **BUSY), pod(1)),
        bound={0: 1},
        patch=((0, None, "PoolDeleted"),),
        delete=(1,),
    ),
    Case(
        "its pods end as they are empty",
        wanted(deleting=True),
        pods=(pod(0, drain_since_s=NOW_S, drain_reason="PoolDeleted"),),
        delete=(0,),
    ),
    Case(
        "the finalizer stays while there is a pod",
        wanted(deleting=True),
        pods=(pod(0, deleting=True),),
    ),
    Case("and is released after the last", wanted(deleting=True), finalizer="release"),
    Case("that is all", wanted(deleting=True, has_finalizer=False)),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.desc)
def test_plan(case: Case) -> None:
    made = case.plan()
    assert names(made.create) == [f"voiceroom-p-{n}" for n in case.create]
    assert names(made.delete) == [f"voiceroom-p-{n}" for n in case.delete]
    assert [(p.name, p.occupied, p.drain) for p in made.patch] == [
        (f"voiceroom-p-{n}", occupied, drain) for n, occupied, drain in case.patch
    ]
    assert made.finalizer == case.finalizer
    assert made.requeue_after_s == case.requeue_s
    assert tuple(note.reason for note in made.notes) == case.notes


def test_notes_say_what_to_change() -> None:
    for case in CASES:
        for note in case.plan().notes:
            assert any(word in note.message for word in ("raise", "change", "add a node")), note


def test_deletions_name_the_pod_that_was_seen() -> None:
    (death,) = Case("", pods=(pod(0), pod(1), pod(2, uid="the-third"))).plan().delete
    assert death.uid == "the-third"


def test_media_processes_get_ports_side_by_side() -> None:
    pool = wanted(ports=PortRange(20_000, 7, block=3), size_min=1)
    made = plan(pool, PoolObserved(nodes=nodes()), Limits(), NOW_S)
    assert [birth.ports for birth in made.create] == [
        (20_000, 20_001, 20_002),
        (20_003, 20_004, 20_005),
    ]


def test_ports_of_a_deleted_pod_are_dealt_again_only_when_it_has_gone() -> None:
    pool = wanted(ports=PortRange(20_000, 2), size_min=2, spare=0)
    going = pod(0, deleting=True)
    made = plan(pool, PoolObserved((going, pod(1)), nodes()), Limits(), NOW_S)
    assert made.create == (CreatePod("voiceroom-p-2", (20_000,)),)  # another node has it free
    alone = plan(pool, PoolObserved((going, pod(1)), {"n": NodeSeen("n")}), Limits(), NOW_S)
    assert alone.create == ()


def test_ports_of_other_pools_are_not_dealt() -> None:
    observed = PoolObserved(nodes=nodes(), foreign_ports=frozenset({20_000, 20_001}))
    made = plan(wanted(), observed, Limits(), NOW_S)
    assert [birth.ports for birth in made.create] == [(20_002,), (20_003,)]


def test_patches_are_for_one_pod_and_both_marks() -> None:
    observed = PoolObserved((pod(0), pod(1), pod(2)), CORDONED, bound={"voiceroom-p-0": 1})
    made = plan(wanted(), observed, Limits(), NOW_S)
    assert made.patch[0] == PatchPod("voiceroom-p-0", "uid-0", occupied=True, drain="NodeLeaving")
