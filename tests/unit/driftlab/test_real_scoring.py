"""Which verdict belongs to which injection, and which injections count."""

from __future__ import annotations

from voiceroom_driftlab.real import scoring, truth
from voiceroom_driftlab.real.plan import Injection
from voiceroom_driftlab.real.truth import Truth
from voiceroom_driftlab.real.watching import Book, Seen

MS = 1_000_000
S = 1_000 * MS
FREEZE = Injection("freeze", "sigstop", "sigstop", 100.0, 100 * MS)
RATE = Injection("rate", "shim raw", "shim", 500.0, 13 * S, instant=False)
STOPPED = Truth(10 * S, 10 * S + 100 * MS, True, "stopped for 100 ms")


def books(*waited_ms: int, steal_ms: int = 0, late_ms: int = 0) -> list[Book]:
    """One each 10 ms from 10 s on; ``waited_ms``: run-queue delay that came with each."""
    total, found = 0, []
    for number, wait in enumerate(waited_ms):
        total += wait
        at_ns = 10 * S + number * 10 * MS
        found.append(Book(at_ns, total * MS, number * steal_ms * MS, late_ms * MS))
    return found


def test_the_first_verdict_after_the_fault_has_begun_counts() -> None:
    said = [Seen(9 * S, 440, "gc"), Seen(9 * S + 1, 450, None)]
    said += [Seen(10 * S + 105 * MS, 506, "freeze"), Seen(11 * S, 550, "gc")]
    found = scoring.outcome(FREEZE, STOPPED, said, begun_tick=505)
    assert (found.named, found.ticks, found.seconds) == ("freeze", 2, 0.105)


def test_another_name_that_comes_first_is_what_was_named() -> None:
    said = [Seen(10 * S + 90 * MS, 505, "starved"), Seen(10 * S + 105 * MS, 506, "freeze")]
    assert scoring.outcome(FREEZE, STOPPED, said, 505).named == "starved"


def test_after_five_ticks_it_is_not_named_any_more() -> None:
    assert scoring.outcome(FREEZE, STOPPED, [Seen(10 * S, 509, "freeze")], 505).named == "freeze"
    assert scoring.outcome(FREEZE, STOPPED, [Seen(10 * S, 510, "freeze")], 505).named is None


def test_a_late_verdict_of_no_fault_is_still_a_false_one() -> None:
    none = Injection(None, "NTP step", "shim", 1.0, 5 * S)
    assert scoring.outcome(none, STOPPED, [Seen(10 * S, 600, "rate")], 505).named == "rate"


def test_a_rate_has_twelve_seconds_whatever_the_ticks() -> None:
    running = Truth(10 * S, 23 * S, True, "")
    assert scoring.outcome(RATE, running, [Seen(22 * S, 1_100, "rate")], 501).named == "rate"
    late = scoring.outcome(RATE, running, [Seen(22 * S + 1, 1_100, "rate")], 501)
    assert (late.named, late.seconds) == (None, 0.0)


def test_what_did_not_happen_is_void_whatever_was_said() -> None:
    briefly = truth.stopped(10 * S, 10 * S + 20 * MS, seen=True, wanted_ms=100.0)
    unseen = truth.stopped(10 * S, 10 * S + 100 * MS, seen=False, wanted_ms=100.0)
    for done in (briefly, unseen):
        said = scoring.outcome(FREEZE, done, [Seen(10 * S + 1, 505, "freeze")], 505)
        run = scoring.judged(FREEZE, done, said, "")
        assert (run.result, run.why[:18]) == ("void", "it did not happen:")


def test_a_quota_that_throttled_nobody_is_void() -> None:
    assert not truth.throttled(0, S, 0, 0, 20 * MS).happened
    assert not truth.throttled(0, S, 9, 39 * MS, 20 * MS).happened
    assert truth.throttled(0, S, 2, 40 * MS, 20 * MS).happened


def test_a_wait_has_to_cost_two_frames_as_long_as_they_are() -> None:
    assert truth.waited(0, S, 41 * MS, 20 * MS).happened
    assert not truth.waited(0, S, 41 * MS, 40 * MS).happened


def test_what_happened_inside_is_told_by_what_it_took() -> None:
    gc = Injection("gc", "ballast", "gc", 90.0, 2 * S)
    said = {"events": 5, "total_ns": 300 * MS, "worst_ns": 61 * MS, "first_ns": 7 * MS}
    assert truth.inside(gc, 0, S, said)[:3] == (7 * MS, S, True)
    assert not truth.inside(gc, 0, S, said | {"worst_ns": 59 * MS}).happened
    spin = Injection("gil", "spinner thread", "spin", 0.0, 3 * S)
    assert not truth.inside(spin, 0, S, said | {"total_ns": 500 * MS}).happened


def test_no_reading_was_falsified_so_there_was_no_step() -> None:
    assert not truth.read_wrong(0, S, 0).happened


def test_steal_makes_a_run_inconclusive() -> None:
    assert truth.disturbance(FREEZE, books(0, 0, 0, steal_ms=1), cpus=2) == ""
    assert "were stolen" in truth.disturbance(FREEZE, books(0, 0, 0, steal_ms=2), cpus=2)


def test_a_late_witness_makes_a_run_inconclusive() -> None:
    assert "real-time thread" in truth.disturbance(FREEZE, books(0, 0, late_ms=10), cpus=2)


def test_a_wait_that_nobody_ordered_makes_a_run_inconclusive() -> None:
    waits = books(0, 10, 10, 10)
    assert "waited 30 ms" in truth.disturbance(FREEZE, waits, cpus=2)
    ordered = Injection("starved", "fifo", "fifo", 100.0, 100 * MS)
    assert truth.disturbance(ordered, waits, cpus=2) == ""


def test_waits_that_are_far_apart_are_not_added_up() -> None:
    calm = [0] * 11
    assert truth.longest_wait_ns(books(0, 20, *calm, 20)) == 20 * MS
    assert truth.longest_wait_ns(books(0, 20, 0, 20)) == 40 * MS


def test_stolen_time_is_a_wait_that_no_run_queue_shows() -> None:
    assert truth.longest_wait_ns(books(0, 0, 0, steal_ms=15), stolen=True) == 30 * MS
    assert truth.longest_wait_ns(books(0, 0, 0, steal_ms=15)) == 0


def test_without_books_nothing_is_known() -> None:
    assert truth.disturbance(FREEZE, [], cpus=2)


def test_an_inconclusive_run_is_told_and_not_scored() -> None:
    said = scoring.outcome(FREEZE, STOPPED, [], 505)
    runs = [scoring.judged(FREEZE, STOPPED, said, "9% of the CPUs were stolen")]
    told = scoring.as_json(runs, None)
    assert (told["marks"], told["passed"]) == ({}, False)
    assert scoring.never_scored(runs) == ["freeze"]
    assert scoring.left_out(runs) == [
        "inconclusive: freeze (sigstop, 100): 9% of the CPUs were stolen"
    ]


def test_a_verdict_in_a_quiet_while_is_false_unless_the_kernel_bears_it_out() -> None:
    said = [Seen(10 * S + 40 * MS, 502, "starved"), Seen(12 * S, 600, None)]
    said += [Seen(13 * S, 650, "starved"), Seen(14 * S, 700, "gc")]
    waited = scoring.waited_before(said, books(0, 15, 15, 0))
    found = scoring.quiet_verdicts(said, waited, end_ns=15 * S)
    assert [(one.kind, one.borne_out, one.waited_ms) for one in found] == [
        ("starved", True, 30.0),
        ("starved", False, 0.0),
        ("gc", False, 0.0),
    ]
    assert [one.lasted_s for one in found] == [1.96, 1.0, 1.0]


def test_a_quiet_while_with_two_false_verdicts_has_not_passed() -> None:
    false = scoring.Verdict("gc", 1, 1.0, 0.0, borne_out=False)
    true = scoring.Verdict("starved", 1, 1.0, 50.0, borne_out=True)
    good = [scoring.judged(FREEZE, STOPPED, scoring.outcome(
        FREEZE, STOPPED, [Seen(10 * S, 505, "freeze")], 505), "")]  # fmt: skip
    assert scoring.as_json(good, scoring.Quiet(30.0, verdicts=[false, true, true]))["passed"]
    assert not scoring.as_json(good, scoring.Quiet(30.0, verdicts=[false, false]))["passed"]


def test_a_verdict_that_stands_when_the_fault_begins_makes_it_inconclusive() -> None:
    before = [Seen(9 * S, 450, "starved")]
    assert scoring.standing(before, STOPPED.began_ns) == "starved was said before it began"
    assert scoring.standing([*before, Seen(9 * S + 1, 451, None)], STOPPED.began_ns) == ""
    assert scoring.standing([Seen(10 * S + 1, 505, "freeze")], STOPPED.began_ns) == ""


def test_a_blocked_loop_of_control_is_named_while_it_is_blocked_or_not_at_all() -> None:
    loop = Injection(
        "loop-block", "waits in control", "block", 500.0, 2 * S, place="control", instant=False
    )
    done = Truth(10 * S, 12 * S, True, "")
    for at_ms, named in ((500, "loop-block"), (501, None)):
        said = [Seen(10 * S + at_ms * MS, 520, "loop-block")]
        assert scoring.outcome(loop, done, said, 501).named == named
