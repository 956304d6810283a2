"""Which room goes where, case by case."""

from dataclasses import dataclass, field, replace

import pytest

from fakes.pools import NOW_S, bound, nodes, pod, room, wanted
from voiceroom_operator.binding.decisions import BindingPlan, Decision
from voiceroom_operator.binding.planner import plan_bindings
from voiceroom_operator.limits import Limits
from voiceroom_operator.observed import Held, MoveSeen, NodeSeen, PodSeen, RoomSeen
from voiceroom_operator.pool.crew import Demand
from voiceroom_operator.wanted import PoolWanted

ALONE = pod(0, occupied=True)
BOTH = (ALONE, pod(1, occupied=True))
LOST = pod(0, ready=False, silent_s=9, occupied=True)
MOVES = Limits(moves=1)


def move(pod: int, begun_s: float = NOW_S) -> MoveSeen:
    return MoveSeen(f"voiceroom-p-{pod}", 2, "move-2", "Drain", begun_s)


CORDONED = nodes(NodeSeen("node-0", schedulable=False))


@dataclass(frozen=True)
class Case:
    """``does``: (action, ordinal of the pod or None, epoch, ordinal of the twin or None)."""

    desc: str
    rooms: tuple[RoomSeen, ...]
    pods: tuple[PodSeen, ...] = ()
    pools: tuple[PoolWanted, ...] = field(default_factory=lambda: (wanted(),))
    nodes: dict[str, NodeSeen] | None = field(default_factory=nodes)
    limits: Limits = field(default_factory=Limits)
    does: tuple[tuple[str, int | None, int, int | None], ...] = ()
    unplaced: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    requeue_s: float | None = None

    def plan(self) -> BindingPlan:
        return plan_bindings(self.rooms, self.pods, self.pools, self.nodes, self.limits, NOW_S)


def draining(seconds: float, **fields: object) -> PodSeen:
    return pod(
        0, drain_since_s=NOW_S - seconds, drain_reason="NodeLeaving", occupied=True, **fields
    )


FULL = (wanted(capacity_rooms=1, size_max=1),)

CASES = [
    Case("no rooms, nothing to do", (), BOTH),
    Case("a room gets the one pod", (room("r"),), (ALONE,), does=(("Bind", 0, 1, None),)),
    Case("and a twin on another node", (room("r"),), BOTH, does=(("Bind", 0, 1, 1),)),
    Case(
        "no twin on the same node",
        (room("r"),),
        (ALONE, pod(2, occupied=True)),
        does=(("Bind", 0, 1, None),),
    ),
    Case("bound is bound", (bound("r", 0),), (ALONE,)),
    Case("a twin that comes later", (bound("r", 0),), BOTH, does=(("Twin", 0, 1, 1),)),
    Case("with a twin all is done", (bound("r", 0, twin="voiceroom-p-1"),), BOTH),
    Case("a room that is being deleted", (room("r", deleting=True),), BOTH),
    Case("no pod yet", (room("r"),), unplaced=("WaitingForPod",)),
    Case("none is ready", (room("r"),), (pod(0, ready=False),), unplaced=("WaitingForPod",)),
    Case(
        "full, more to come", (room("r"),), (pod(0, accepting=False),), unplaced=("WaitingForPod",)
    ),
    Case(
        "full for good",
        (bound("a", 0), room("r")),
        (ALONE,),
        FULL,
        unplaced=("NoCapacity",),
    ),
    Case("size.max 0", (room("r"),), (), (wanted(size_max=0),), unplaced=("NoCapacity",)),
    Case("no such pool", (room("r", pool="x"),), BOTH, unplaced=("PoolNotFound",)),
    Case(
        "a pool that is being deleted takes none",
        (room("r"),),
        BOTH,
        (wanted(deleting=True),),
        unplaced=("PoolNotFound",),
    ),
    Case(
        "too many people for the cap",
        (bound("a", 0, legs=400), room("r", legs=200)),
        (ALONE,),
        (wanted(size_max=1),),
        unplaced=("NoCapacity",),
    ),
    Case(
        "no headroom",
        (room("r"),),
        (pod(0, headroom=0.3, occupied=True),),
        (wanted(size_max=1),),
        unplaced=("NoCapacity",),
    ),
    Case(
        "a pod is not full of empty rooms that it is the twin of",
        (*(bound(f"e{n}", 0, twin="voiceroom-p-1") for n in range(100)), room("r")),
        (pod(0, headroom=0.3, occupied=True), pod(1, headroom=0.5, occupied=True)),
        (wanted(size_max=2, capacity_rooms=200),),
        does=(("Bind", 1, 1, None),),
    ),
    Case(
        "but of such that somebody is in",
        (*(bound(f"e{n}", 0, twin="voiceroom-p-1", legs=1) for n in range(100)), room("r")),
        (pod(0, headroom=0.3, occupied=True), pod(1, headroom=0.5, occupied=True)),
        (wanted(size_max=2, capacity_rooms=200),),
        unplaced=("NoCapacity",),
    ),
    Case(
        "the pod with more headroom",
        (room("r"),),
        (pod(0, headroom=0.5, occupied=True), pod(2, headroom=0.9, occupied=True)),
        does=(("Bind", 2, 1, None),),
    ),
    Case(
        "the better clock",
        (room("r"),),
        BOTH,
        nodes=nodes(NodeSeen("node-0", grade="C"), NodeSeen("node-1", grade="A")),
        does=(("Bind", 1, 1, 0),),
    ),
    Case(
        "the newer revision",
        (room("r"),),
        (pod(0, revision="r0", occupied=True), pod(2, occupied=True)),
        does=(("Bind", 2, 1, None),),
    ),
    Case(
        "the spare stays free",
        (bound("a", 0), room("r")),
        (replace(ALONE, headroom=0.6), pod(2, occupied=True)),
        does=(("Bind", 0, 1, None),),
    ),
    Case(
        "nothing new on a cordoned node",
        (room("r"),),
        BOTH,
        nodes=CORDONED,
        does=(("Bind", 1, 1, None),),
    ),
    Case(
        "nor on one in quarantine",
        (room("r"),),
        BOTH,
        nodes=nodes(NodeSeen("node-0", quarantined=True)),
        does=(("Bind", 1, 1, None),),
    ),
    Case(
        "dedicated takes an empty pod",
        (bound("a", 0), room("r", dedicated=True)),
        (ALONE, pod(2, occupied=True)),
        does=(("Bind", 2, 1, None),),
    ),
    Case(
        "dedicated finds none",
        (bound("a", 0), room("r", dedicated=True)),
        (ALONE,),
        unplaced=("WaitingForPod",),
    ),
    Case(
        "nobody joins a dedicated one",
        (bound("a", 0, dedicated=True), room("r")),
        (ALONE,),
        unplaced=("WaitingForPod",),
    ),
    Case(
        "nor is its pod a twin",
        (bound("a", 0, dedicated=True), bound("r", 1)),
        BOTH,
    ),
    Case(
        "who becomes dedicated moves out",
        (bound("a", 0), bound("r", 0, dedicated=True)),
        (ALONE, pod(2, occupied=True)),
        does=(("Bind", 2, 2, None),),
    ),
    Case(
        "an unready pod keeps its rooms",
        (bound("r", 0),),
        (pod(0, ready=False, occupied=True),),
    ),
    Case(
        "a silent one that is Ready as well",
        (bound("r", 0),),
        (replace(ALONE, silent_s=99),),
    ),
    Case(
        "a lost pod's room goes to another",
        (bound("r", 0),),
        (LOST, pod(2, occupied=True)),
        does=(("Bind", 2, 2, None),),
    ),
    Case(
        "to its twin under the twin's own number",
        (bound("r", 0, twin="voiceroom-p-1"),),
        (LOST, pod(1, occupied=True), pod(3, headroom=1.0, occupied=True)),
        does=(("Bind", 1, 2, None),),
    ),
    Case(
        "which nobody else ever gets",
        (bound("r", 0, twin="voiceroom-p-1"),),
        (LOST, pod(2, occupied=True)),
        does=(("Bind", 2, 3, None),),
    ),
    Case(
        "a vanished pod's room that fits nowhere is released",
        (bound("r", 0, epoch=4, twin="voiceroom-p-1"),),
        (),
        does=(("Release", None, 5, None),),
        unplaced=("WaitingForPod",),
    ),
    Case(
        "a lost pod that comes back has its room again",
        (room("r", epoch=4, saw_pool=True),),
        (replace(ALONE, holds=(Held("r", 4),)), pod(2, occupied=True)),
        does=(("Adopt", 0, 4, None),),
    ),
    Case(
        "a take-over is recorded",
        (bound("r", 0, twin="voiceroom-p-1"),),
        (LOST, pod(1, occupied=True, holds=(Held("r", 2),))),
        does=(("Adopt", 1, 2, None),),
    ),
    Case(
        "an old claim is not",
        (bound("r", 1, epoch=3),),
        (replace(ALONE, holds=(Held("r", 1),)), pod(1, occupied=True)),
        does=(("Twin", 1, 3, 0),),
    ),
    Case(
        "nor what a lost pod said",
        (bound("r", 1, twin="voiceroom-p-0"),),
        (replace(LOST, holds=(Held("r", 2),)), pod(1, occupied=True)),
    ),
    Case(
        "a new twin for a lost one under a new epoch",
        (bound("r", 0, twin="voiceroom-p-9"),),
        BOTH,
        does=(("Twin", 0, 3, 1),),
    ),
    Case(
        "a twin that is not ready for a moment stays",
        (bound("r", 0, twin="voiceroom-p-1"),),
        (ALONE, pod(1, ready=False), pod(3, occupied=True)),
    ),
    Case(
        "no one in, and no moves: away from a cordoned node at once",
        (bound("r", 0),),
        BOTH,
        nodes=CORDONED,
        does=(("Bind", 1, 2, None),),
    ),
    Case(
        "where there are moves it is handed over: somebody may have come since the pod said so",
        (bound("r", 0),),
        BOTH,
        nodes=CORDONED,
        limits=MOVES,
        does=(("Move", 1, 2, None),),
    ),
    Case(
        "unless its pod says nothing any more",
        (bound("r", 0),),
        (pod(0, occupied=True, silent_s=6.0), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Bind", 1, 2, None),),
    ),
    Case(
        "people in, and no moves: wait",
        (bound("r", 0, legs=2),),
        (draining(500), pod(1)),
        nodes=CORDONED,
        waiting=("Drain",),
        requeue_s=100.0,
    ),
    Case(
        "until the deadline",
        (bound("r", 0, legs=2),),
        (draining(600), pod(1, occupied=True)),
        nodes=CORDONED,
        does=(("Bind", 1, 2, None),),
    ),
    Case(
        "even when nobody takes it",
        (bound("r", 0, legs=2),),
        (draining(600),),
        nodes=CORDONED,
        does=(("Release", None, 2, None),),
        unplaced=("WaitingForPod",),
    ),
    Case(
        "after which the old pod's claim is void",
        (room("r", epoch=2),),
        (draining(601, holds=(Held("r", 1),)),),
        nodes=CORDONED,
        unplaced=("WaitingForPod",),
    ),
    Case(
        "with moves it moves",
        (bound("r", 0, legs=2),),
        (draining(1), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Move", 1, 2, None),),
        requeue_s=599.0,
    ),
    Case(
        "not all at once",
        (bound("a", 0, legs=2), bound("b", 0, legs=2)),
        (draining(1), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Move", 1, 2, None),),
        waiting=("Drain",),
        requeue_s=599.0,
    ),
    Case(
        "a move under way is let be",
        (bound("r", 0, legs=2, move=move(1)),),
        (draining(1), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        requeue_s=30.0,
    ),
    Case(
        "one that takes too long is given up, and its number is nobody's",
        (bound("r", 0, legs=2, move=move(1, NOW_S - 31)),),
        (draining(1), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Stay", 0, 4, None),),
    ),
    Case(
        "its end is the new pod's word, and a number above that which the old one may take",
        (bound("r", 0, legs=2, move=move(1)),),
        (draining(1), pod(1, occupied=True, holds=(Held("r", 2),))),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Adopt", 1, 4, None),),
    ),
    Case(
        "the old pod keeps its right to that where it becomes the twin",
        (bound("r", 0, legs=2, move=move(1)),),
        (ALONE, pod(1, occupied=True, holds=(Held("r", 2),))),
        limits=MOVES,
        does=(("Adopt", 1, 2, 0),),
    ),
    Case(
        "the old pod has taken it back",
        (bound("r", 0, legs=2, move=move(1)),),
        (pod(0, occupied=True, holds=(Held("r", 3),)), pod(1, ready=False), pod(3)),
        limits=MOVES,
        does=(("Adopt", 0, 3, 3),),
    ),
    Case(
        "a lost successor ends the move",
        (bound("r", 0, legs=2, move=move(9)),),
        (draining(1), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Stay", 0, 4, None),),
        requeue_s=30.0,
    ),
    Case(
        "after which the room goes elsewhere",
        (bound("r", 0, legs=2, epoch=4),),
        (draining(1), pod(1, occupied=True)),
        nodes=CORDONED,
        limits=MOVES,
        does=(("Move", 1, 5, None),),
        requeue_s=599.0,
    ),
    Case(
        "an owner lost on the way: the successor has it",
        (bound("r", 0, legs=2, move=move(1)),),
        (LOST, pod(1, occupied=True), pod(3, headroom=1.0)),
        does=(("Bind", 1, 4, None),),
    ),
    Case(
        "another pool is a move",
        (bound("r", 0, pool="q", legs=1),),
        (ALONE, pod(1, name="voiceroom-q-0", pool="q", occupied=True)),
        (wanted(), wanted(name="q")),
        waiting=("SpecChanged",),
    ),
    Case(
        "to a pool that is not there it stays",
        (bound("r", 0, pool="q"),),
        (ALONE,),
        waiting=("PoolNotFound",),
    ),
    Case(
        "one plan decides so much",
        (room("a"), room("b")),
        (ALONE,),
        limits=Limits(decisions=1),
        does=(("Bind", 0, 1, None),),
        requeue_s=0.0,
    ),
]


def ordinal(name: str) -> int | None:
    return int(name.rpartition("-")[2]) if name else None


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.desc)
def test_plan(case: Case) -> None:
    made = case.plan()
    assert [(d.action, ordinal(d.pod), d.epoch, ordinal(d.twin)) for d in made.decisions] == list(
        case.does
    )
    assert tuple(entry.reason for entry in made.unplaced) == case.unplaced
    assert tuple(entry.reason for entry in made.waiting) == case.waiting
    assert made.requeue_after_s == case.requeue_s
    assert not made.make_default_pool


def test_an_empty_room_takes_no_move_from_one_with_people_in() -> None:
    rooms = (bound("a", 0), bound("b", 0, legs=2))
    made = Case(
        "", rooms, (draining(1), pod(1, occupied=True)), nodes=CORDONED, limits=MOVES
    ).plan()
    assert [(d.action, d.room) for d in made.decisions] == [("Move", "b")]
    assert [(entry.room, entry.message) for entry in made.waiting] == [
        ("a", "1 of 1 moves are under way: it is moved when one has ended")
    ]


def test_the_label_is_set_before_a_room_is_bound() -> None:
    made = Case("", (room("r"),), (pod(0), pod(1))).plan()
    assert made.occupy == ("voiceroom-p-0",)
    assert made.bound == {"voiceroom-p-0": 1}


def test_rooms_that_wait_are_the_pools_demand() -> None:
    rooms = (room("a"), room("b", dedicated=True), room("c", pool="q"))
    made = plan_bindings(rooms, (), (wanted(), wanted(name="q")), None, Limits(), NOW_S)
    assert made.demand == {"p": Demand(1, 0, 1), "q": Demand(1, 0, 0)}


def test_messages_say_what_to_change() -> None:
    hints = ("raise spec.size.max", "raise it", "make it", "is ready yet", "on its way")
    for case in CASES:
        for entry in case.plan().unplaced:
            assert any(hint in entry.message for hint in hints), entry.message


def test_the_default_pool_is_made_when_a_room_first_asks() -> None:
    made = plan_bindings([room("r", pool="default")], (), (), None, Limits(), NOW_S)
    assert made.make_default_pool
    assert [entry.reason for entry in made.unplaced] == ["WaitingForPod"]


def test_but_not_when_a_person_has_deleted_it() -> None:
    old = room("old", pool="default", saw_pool=True)
    made = plan_bindings([old, room("r", pool="default")], (), (), None, Limits(), NOW_S)
    assert not made.make_default_pool
    assert {entry.reason for entry in made.unplaced} == {"PoolNotFound"}
    again = plan_bindings([room("r", pool="default")], (), (), None, Limits(), NOW_S)
    assert again.make_default_pool


def test_no_pool_of_another_name_is_made() -> None:
    made = plan_bindings([room("r", pool="music")], (), (), None, Limits(), NOW_S)
    assert not made.make_default_pool


def test_decisions_tell_who_had_the_room() -> None:
    (made,) = Case("", (bound("r", 0),), (LOST, pod(2, occupied=True))).plan().decisions
    assert made == Decision(
        "Bind", "r", "uid-r", "voiceroom-p-2", 2, "", "voiceroom-p-0", "PodLost"
    )


@pytest.mark.parametrize(
    ("fields", "comes"),
    [
        ({}, True),
        ({"ready": False, "started_s": 0.0}, False),
        ({"ready": False, "started_s": NOW_S - 60}, True),
        ({"ready": False, "started_s": NOW_S - 60, "silent_s": 0.9}, True),
        ({"ready": False, "started_s": NOW_S - 60, "silent_s": 1.0}, False),
        ({"silent_s": 4.0}, True),
        ({"silent_s": 5.1}, False),
        ({"deleting": True}, False),
        ({"disrupted": True}, False),
        ({"failed": True}, False),
        ({"drain_since_s": NOW_S - 1, "drain_reason": "Rollout"}, True),
        ({"pool": "q"}, False),
    ],
    ids=[
        "it serves",
        "its container does not run",
        "not Ready for a moment, and it answers",
        "a look that is on its way",
        "not Ready, and it does not answer",
        "Ready, and slow to answer",
        "Ready by a kubelet that is not heard either",
        "it is deleted",
        "the cluster ends it",
        "it has failed",
        "it is emptied: the room comes, and goes on from there",
        "it is another pool's",
    ],
)
def test_a_move_goes_on_for_as_long_as_its_new_pod_can_take_part(
    fields: dict[str, object], comes: bool
) -> None:
    going = bound("r", 0, legs=2, move=move(1))
    pools = (wanted(), wanted(name="q"))
    made = Case("", (going,), (ALONE, pod(1, **fields)), pools, limits=MOVES).plan()
    assert [(d.action, d.epoch, d.reason) for d in made.decisions] == (
        [] if comes else [("Stay", 4, "SuccessorLost")]
    )
