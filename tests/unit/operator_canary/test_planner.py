"""What becomes of a canary, in values: each transition at the second at which it is due."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from voiceroom_operator.canary.case import CanaryCase, Order, Target, Trial, Trouble
from voiceroom_operator.canary.counts import EDGES_US, Counts
from voiceroom_operator.canary.gate import Gate
from voiceroom_operator.canary.planner import plan_canary
from voiceroom_operator.canary.record import Record, record_of
from voiceroom_operator.canary.series import Seen

NOW_S = 1_800_000_000.0
GATE = Gate(lateness_window_s=60, min_ticks=500, min_samples=10, observe_s=120, deadline_s=90)
CALM = len(EDGES_US)


def counts(late: int = 0, jitter: tuple[int, int] = (0, 0), **fields: Any) -> Counts:
    """1000 ticks, ``late`` of them above all edges."""
    return Counts("boot", (1000 - late, *[0] * (CALM - 1), late), jitter, **fields)


class World:
    """One canary: plans are made second by second, and records go through statuses."""

    def __init__(self, **case: Any) -> None:
        usual: dict[str, Any] = {"percent": 10, "revision": "r2", "gate": GATE, "serving": 1}
        self.case = CanaryCase("next", "default", **(usual | case))
        self.now_s = NOW_S
        self.status: dict[str, Any] = {}
        self.says: list[str] = []
        self.applied_s: list[float] = []
        self.seen = Seen(NOW_S)
        self.rate = counts(jitter=(20, 20))
        """What is counted in a second, times 20."""
        self.total = Counts("boot")

    def step(self) -> Trial:
        record = record_of(self.status)
        if record is not None and record.phase == "Observing":
            self.count()
        case = replace(self.case, record=record, seen=self.seen)
        trial = plan_canary(case, self.now_s)
        settled = self._settled(replace(case, record=trial.record))
        assert self._settled(replace(case, record=settled)) == settled, "it comes to rest"
        self.status = {"canary": trial.record.to_dict()}
        self.says += [say.reason for say in trial.says]
        if trial.apply:
            self.applied_s.append(self.now_s)
        return trial

    def _settled(self, case: CanaryCase) -> Record:
        """After some more plans within the same second."""
        for _ in range(3):
            case = replace(case, record=plan_canary(case, self.now_s).record)
        assert case.record is not None
        return case.record

    def count(self) -> None:
        each = self.rate
        self.total = Counts(
            "boot",
            tuple(a + b // 20 for a, b in zip(self.total.late, each.late, strict=True)),
            (self.total.jitter[0] + each.jitter[0] // 20, self.total.jitter[1] + 1),
            each.recoveries,
        )
        self.seen = self.seen.looked({"uid": self.total}, GATE, self.now_s)

    def run(self, seconds: int) -> Record:
        for _ in range(seconds):
            self.step()
            self.now_s += 1
        return self.record

    def until(self, phase: str, within_s: int = 400) -> int:
        """Seconds until then."""
        for second in range(within_s):
            self.step()
            if self.record.phase == phase:
                return second
            self.now_s += 1
        raise AssertionError(f"not {phase}: {self.record}")

    @property
    def record(self) -> Record:
        found = record_of(self.status)
        assert found is not None
        return found

    def order(self, wish: Any, id_: str = "one") -> None:
        self.case = replace(self.case, order=Order(id_, wish, "a test"))


def test_from_the_first_pod_to_the_end() -> None:
    world = World(serving=0)
    world.run(5)
    assert (world.record.phase, world.record.shares()) == ("Waiting", False)
    world.case = replace(world.case, serving=1)
    assert world.until("Observing") == 0
    assert world.record.shares()
    took = world.until("Promoting")
    assert GATE.observe_s <= took <= GATE.observe_s + 12, "gate.observe, and the next judgement"
    assert world.applied_s == [], "it is on record before it is acted on"
    world.run(1)
    world.case = replace(world.case, target=Target(alike=True, generation=7))
    world.run(3)
    assert len(world.applied_s) == 1 or world.applied_s[-1] - world.applied_s[0] < 2
    assert (world.record.phase, world.record.applied) == ("Promoting", 7)
    assert world.record.shares(), "rooms stay until the other pool is rolled"
    world.case = replace(world.case, target=Target(alike=True, generation=7, rolled=True))
    world.run(30)
    assert (world.record.phase, world.record.shares()) == ("Promoted", False)
    assert world.says == ["CanaryObserving", "CanaryPromoting", "CanaryPromoted"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (counts(late=40, jitter=(20, 20)), "LatenessAboveLimit"),
        (counts(jitter=(0, 20)), "JitterShareTooLow"),
        (counts(jitter=(20, 20), recoveries=(1, 2)), "RecoveryShareTooLow"),
    ],
)
def test_what_is_bad_is_rolled_back_before_observe_has_passed(wrong: Counts, reason: str) -> None:
    world = World()
    world.run(3)
    world.rate = wrong
    took = world.until("RolledBack")
    assert took < GATE.observe_s / 2
    assert (world.record.reason, world.record.shares()) == (reason, False)
    world.rate = counts(jitter=(20, 20))
    world.run(300)
    assert world.record.phase == "RolledBack"
    assert world.says[-1] == "CanaryRolledBack"


def test_a_share_at_its_limit_is_not_above_it() -> None:
    world = World(gate=replace(GATE, recoveries_share=0.5))
    world.rate = counts(jitter=(20, 20), recoveries=(0, 0))
    world.run(5)
    world.rate = counts(jitter=(20, 20), recoveries=(1, 2))
    world.until("RolledBack")


def test_a_share_of_0_is_never_too_low() -> None:
    world = World(gate=replace(GATE, recoveries_share=0.0))
    world.run(3)
    world.rate = counts(jitter=(20, 20), recoveries=(0, 3))
    world.until("Promoting")
    assert world.record.indicators[2].value == 0.0


def test_too_few_faults_wait_where_some_are_asked_for() -> None:
    world = World(gate=replace(GATE, min_faults=1))
    assert world.run(600).reason == "TooFewSamples"


def test_lateness_is_good_only_when_a_whole_window_was_watched_by_one_operator() -> None:
    world = World()
    world.run(GATE.observe_s - 5)
    world.seen = world.record.seen(world.now_s)
    took = world.until("Promoting")
    assert took >= GATE.lateness_window_s
    jitter = next(each for each in world.record.indicators if each.name == "Jitter")
    assert jitter.samples > GATE.lateness_window_s + 20, "jitter was on record"


@pytest.mark.parametrize("began", [True, False])
def test_no_pod_for_the_deadline(began: bool) -> None:
    world = World(serving=int(began))
    world.run(10)
    world.case = replace(world.case, serving=0)
    world.run(1)
    assert not world.record.shares()
    world.until("RolledBack")
    since_s = world.record.since_s - (NOW_S + (10 if began else 0))
    assert since_s == GATE.deadline_s
    assert world.record.reason == "NotReady"


def test_a_pod_that_comes_back_in_time_starts_the_deadline_anew() -> None:
    world = World()
    for _ in range(5):
        world.case = replace(world.case, serving=0)
        world.run(GATE.deadline_s - 1)
        world.case = replace(world.case, serving=1)
        world.run(1)
    assert world.record.phase != "RolledBack"


def test_restarts_count_from_the_begin_of_the_trial() -> None:
    world = World(restarts=40)
    world.run(5)
    world.case = replace(world.case, restarts=42)
    world.run(5)
    assert world.record.phase == "Observing"
    world.case = replace(world.case, restarts=43)
    world.until("RolledBack")
    assert world.record.reason == "Crashed"


def test_trouble_is_not_the_images_fault() -> None:
    trouble = Trouble("PoolNotFound", "there is none")
    world = World(serving=0, trouble=trouble)
    assert world.run(500).reason == "PoolNotFound"
    world.case = replace(world.case, trouble=None)
    world.run(GATE.deadline_s - 2)
    assert world.record.phase == "Waiting"
    world.case = replace(world.case, serving=1)
    world.until("Observing")
    world.case = replace(world.case, trouble=trouble)
    assert world.run(1).phase == "Waiting"


def test_another_revision_is_another_trial_and_old_decisions_stay_answered() -> None:
    world = World()
    world.run(3)
    world.order("RollBack")
    assert world.run(2).phase == "RolledBack"
    world.case = replace(world.case, revision="r3")
    assert world.run(2).phase == "Observing", "the decision was about the other one"


def test_a_refused_promotion_is_told_once_and_tried_again() -> None:
    world = World()
    world.order("Promote")
    world.run(2)
    world.case = replace(world.case, refusal="image: must not be so")
    world.run(20)
    assert (world.record.phase, world.record.reason) == ("Promoting", "PromotionRefused")
    assert world.says.count("CanaryRefused") == 1
    assert len(world.applied_s) > 5


def test_who_changes_the_other_pool_is_not_fought() -> None:
    world = World()
    world.order("Promote")
    world.run(2)
    world.case = replace(world.case, target=Target(alike=True, generation=3))
    world.run(2)
    world.case = replace(world.case, target=Target(generation=2))
    written = len(world.applied_s)
    assert world.run(5).phase == "Promoting", "old news of the other pool"
    world.case = replace(world.case, target=Target(generation=4))
    assert world.run(5).reason == "Overruled"
    assert len(world.applied_s) == written


@pytest.mark.parametrize("wish", ["Promote", "RollBack"])
def test_decisions_that_come_too_late_are_refused_in_words(wish: str) -> None:
    world = World()
    world.order("Promote")
    world.run(2)
    world.order(wish, "two")
    answered = world.run(2).answered
    assert answered is not None
    assert (answered.id, answered.state, bool(answered.message)) == ("two", "Refused", True)


def test_while_paused_figures_are_shown_and_nothing_is_decided() -> None:
    world = World()
    world.run(3)
    world.case = replace(world.case, paused="a holiday")
    world.rate = counts(late=500)
    record = world.run(300)
    assert (record.phase, record.reason) == ("Observing", "Paused")
    assert any(each.verdict == "Bad" for each in record.indicators)
    world.case = replace(world.case, paused="")
    world.until("RolledBack", 15)


def test_a_status_that_was_spoilt_begins_anew() -> None:
    for spoilt in (None, 3, {}, {"phase": "Dreaming"}, {"phase": "Observing", "since": "soon"}):
        assert record_of({"canary": spoilt}) is None
    odd = {"phase": "Observing", "since": "2027-01-01T00:00:00Z", "indicators": [{"name": 3}, 7]}
    record = record_of({"canary": odd})
    assert record is not None
    assert record.indicators == ()
