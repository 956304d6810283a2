"""The end of `make demo-drift`: what passes, what does not, and what the table shows."""

from __future__ import annotations

from demo.facts import Decision, Fact, Hearing, Judgement, Place, Release, Seat, Stall
from demo.outcome import Outcome, lines
from harness.captures import Passage

POD, OTHER = "voiceroom-default-0", "voiceroom-default-1"
BOTH = ("Ada", "Jon")
CALL: list[Fact] = [
    Seat(90, "Ina", "leg-1", "live"),
    Hearing(91, "Ina", BOTH, frozenset(BOTH)),
    Place(92, POD, "node-1"),
    Stall(100, "node-1", True),
]
MOVE: list[Fact] = [
    Judgement(101.5, POD, "node-1", "starved"),
    Decision(104.2, "Node", "node-1", "starved"),
    Place(104.7, OTHER, "node-2"),
]
WELL: list[Fact] = [
    Hearing(105.9, "Ina", BOTH, frozenset(BOTH)),
    Stall(112, "node-1", False),
    Release(134, "node-1"),
]


def of(*facts: Fact) -> Outcome:
    """What they add up to."""
    found = Outcome()
    for fact in facts:
        found.see(fact)
    return found


def test_a_move_in_time_under_which_nobody_rejoined_is_as_promised() -> None:
    found = of(*CALL, *MOVE, *WELL)
    assert found.faults() == []
    assert (found.verdict, found.cause, found.to) == ("starved", "starved", "node-2")
    moments = (found.detected_s, found.decided_s, found.moved_s, found.whole_s, found.good_s)
    assert [round(moment or 0, 1) for moment in moments] == [1.5, 4.2, 4.7, 5.9, 34.0]


def test_a_room_that_stays_is_not() -> None:
    found = of(*CALL, Place(110, POD, "node-1"))
    assert found.faults() == ["the room did not leave node-1"]


def test_a_move_that_comes_too_late_is_not() -> None:
    found = of(*CALL, Place(112.3, OTHER, "node-2"), *WELL)
    assert found.faults() == ["the room moved after 12.3 s, promised 10"]


def test_who_comes_by_another_leg_has_rejoined() -> None:
    found = of(*CALL, *MOVE, *WELL, Seat(120, "Ina", "leg-2", "live"))
    assert found.faults() == ["Ina had to rejoin"]


def test_so_has_who_is_not_in_the_room_any_more_or_dials_anew() -> None:
    for state in ("ended", "reconnecting", "joining"):
        found = of(*CALL, *MOVE, *WELL, Seat(120, "Ina", "leg-1", state))
        assert found.faults() == ["Ina had to rejoin"]
    assert of(*CALL, *MOVE, *WELL, Seat(120, "Ina", "leg-1", "restarting")).faults() == []


def test_a_call_in_which_somebody_is_not_heard_afterwards_is_not() -> None:
    deaf = Hearing(106, "Ina", BOTH, frozenset({"Ada"}))
    assert of(*CALL, *MOVE, deaf).faults() == ["somebody is not heard by Ina"]


def test_what_was_heard_before_the_move_does_not_count_for_after_it() -> None:
    assert of(*CALL, *MOVE).faults() == ["somebody is not heard by Ina"]
    assert of(*CALL, *MOVE).whole_s is None


def test_a_verdict_about_another_node_is_not_the_detection() -> None:
    found = of(*CALL, Judgement(101, OTHER, "node-2", "gc"))
    assert (found.verdict, found.detected_s) == ("", None)


def test_it_is_calm_when_every_pods_last_word_is_good() -> None:
    good, bad = Judgement(1, POD, "node-1", ""), Judgement(2, OTHER, "node-2", "starved")
    assert not of().is_calm
    assert of(good).is_calm
    assert not of(good, bad).is_calm
    assert of(good, bad, Judgement(3, OTHER, "node-2", "")).is_calm


def test_the_table_has_measured_beside_promised() -> None:
    found = of(*CALL, *MOVE, *WELL)
    found.passage = Passage(lost=3, repeated=0, gap_ms=310.4, streams=1)
    rows = found.table()
    assert ("room on another node after", "4.7 s", "<= 10 s") in rows
    assert ("the gateway's longest gap", "310 ms", "") in rows
    assert ("  packets lost, repeated", "3, 0", "") in rows
    assert ("callers who had to rejoin", "none", "none") in rows


def test_what_did_not_happen_reads_never() -> None:
    rows = of(*CALL).table()
    assert ("node good again after", "never", "") in rows
    assert ("the gateway's longest gap", "not measured", "") in rows


def test_columns_stand_under_their_heads() -> None:
    head, first, *_ = lines(of(*CALL, *MOVE).table())
    assert head.index("measured") == first.index("starved")
    assert not any(line.endswith(" ") for line in (head, first))
