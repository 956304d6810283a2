"""The running commentary of `make demo-drift`: which facts give which lines."""

from __future__ import annotations

from demo.facts import (
    Act,
    Decision,
    Fact,
    Hearing,
    Judgement,
    Move,
    Place,
    Release,
    Seat,
    Stall,
)
from demo.story import WIDTH, Story, listed

POD, OTHER = "voiceroom-default-0", "voiceroom-default-1"
STALL = Stall(0.0, "node-1", True, "echo 5000")
WAIT = ("run-queue delay 95.2 ms",)


def told(*facts: Fact) -> list[str]:
    """All lines of a story."""
    story = Story()
    return [line for fact in facts for line in story.see(fact)]


def words(*facts: Fact) -> list[str]:
    """Without moments."""
    return [line[11:] for line in told(*facts)]


def test_moments_count_from_the_stall_and_there_are_none_before_it() -> None:
    before, stall, after = told(
        Act(3.0, "two gateways join"),
        Stall(10.0, "node-1", True, "echo 5000"),
        Place(14.56, POD, "node-2"),
    )
    assert before == "           two gateways join"
    assert stall == "   +0.0 s  STALL     node-1: echo 5000"
    assert after.startswith("   +4.6 s  ")


def test_a_place_is_told_once_and_a_new_one_is_a_move() -> None:
    assert words(Place(1, POD, "node-1"), Place(2, POD, "node-1"), Place(3, OTHER, "node-2")) == [
        f"room      in pod {POD} on node-1",
        f"MOVED     the room is in pod {OTHER} on node-2",
    ]


def test_a_verdict_comes_with_its_evidence_and_what_helps_and_is_not_repeated() -> None:
    bad = Judgement(1, POD, "node-1", "starved", WAIT, 96.4)
    _, *said = words(STALL, Judgement(0, POD, "node-1", ""), bad, bad)
    assert said[0] == f"DETECTED  {POD} on node-1 says: starved, ticks 96 ms late"
    assert said[1] == "why       run-queue delay 95.2 ms"
    assert said[2].startswith("helps     give the pool nodes of its own")
    assert sum(line.startswith("DETECTED") for line in said) == 1


def test_the_remedy_of_a_verdict_is_told_once_though_two_pods_say_it() -> None:
    said = words(
        STALL,
        Judgement(1, POD, "node-1", "freeze", WAIT),
        Judgement(2, OTHER, "node-1", "freeze", WAIT),
        Judgement(3, OTHER, "node-1", ""),
    )
    heads = [line.split()[0] for line in said if line[0] != " "]
    assert heads == ["STALL", "DETECTED", "why", "helps", "DETECTED", "why", "noticed"]


def test_a_verdict_about_another_node_than_the_stalled_one_is_a_remark() -> None:
    early = Judgement(1, POD, "node-1", "starved", WAIT, 43.0)
    other = Judgement(2, OTHER, "node-2", "gc", WAIT, 22.0)
    assert words(early, Judgement(1.5, POD, "node-1", ""), STALL, other) == [
        f"noticed   {POD} on node-1 says: starved, ticks 43 ms late",
        f"noticed   {POD} on node-1 keeps time again",
        "STALL     node-1: echo 5000",
        f"noticed   {OTHER} on node-2 says: gc, ticks 22 ms late",
    ]


def test_long_lines_are_folded_under_their_words() -> None:
    first, *more = told(Act(1, "words " * 40))
    assert len(more) >= 2
    assert max(map(len, (first, *more))) <= WIDTH
    assert all(line.startswith(" " * 21 + "words") for line in more)


def test_a_verdict_without_evidence_says_so() -> None:
    assert "why       no evidence given" in words(STALL, Judgement(1, POD, "node-1", "freeze"))


def test_a_decision_says_whose_fault_it_is() -> None:
    node, pod = Decision(1, "Node", "node-1", "starved"), Decision(2, "Pod", POD, "gc")
    assert words(node, node, pod, Release(9, "node-1")) == [
        "DECIDED   node node-1 is left (starved): every pod on it is left",
        f"DECIDED   pod {POD} is left (gc): its rooms are moved",
        "GOOD      node-1 has kept time for long enough: it may have rooms again",
    ]


def test_each_state_of_a_move_is_told_once() -> None:
    begun = Move(1, "a", "Drift", POD, OTHER, "begun")
    done = Move(2, "a", "Drift", POD, OTHER, "done")
    assert words(begun, begun, done, done) == [
        f"move      begun from {POD} to {OTHER}, reason Drift",
        f"move      done from {POD} to {OTHER}, reason Drift",
    ]
    assert words(Move(1, "b", "Drift", POD, OTHER, "given up")) == [
        f"move      given up from {POD} to {OTHER}"
    ]


def test_who_hears_whom_is_told_when_it_changes() -> None:
    all_three = ("Ada", "Ina", "Jon")
    whole = Hearing(1, "Bob", all_three, frozenset(all_three))
    less = Hearing(2, "Bob", all_three, frozenset({"Ada"}))
    none = Hearing(3, "Bob", all_three, frozenset())
    assert words(whole, whole, less, none) == [
        "HEARD     Bob hears Ada, Ina and Jon",
        "LACKS     Bob hears Ada, and not Ina and Jon",
        "LACKS     Bob hears nobody, and not Ada, Ina and Jon",
    ]


def test_a_page_that_joins_anew_is_called_so() -> None:
    assert words(
        Seat(1, "Ina", "leg-1", "live"),
        Seat(2, "Ina", "leg-1", "restarting"),
        Seat(3, "Ina", "leg-2", "live"),
    ) == [
        "caller    Ina is in the call",
        "caller    Ina restarts ICE: same leg, same keys",
        "REJOINED  Ina is in the room by another leg: leg-2, not leg-1",
        "caller    Ina is in the call",
    ]


def test_the_end_of_the_stall_is_told() -> None:
    said = words(Stall(1, "node-1", True, "echo"), Stall(9, "node-1", False))
    assert said[-1] == "STALL     over: node-1 has its CPUs back"


def test_names_are_listed_as_people_do() -> None:
    assert [listed(names) for names in ([], ["Ada"], ["Ada", "Jon"])] == [
        "nobody",
        "Ada",
        "Ada and Jon",
    ]
