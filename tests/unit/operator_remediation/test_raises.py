"""A pod that its own quota throttles gets more of it before anybody is moved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fakes.drift import Drifting, stall
from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.podparts import Limits, Resources
from voiceroom_api.poolparts import Budget, Realtime, Remediation
from voiceroom_operator.remediation.cpulimit import CpuLimit, Refused
from voiceroom_operator.remediation.policy import HOUR_S, Policy, policy_of
from voiceroom_operator.remediation.raises import APPLY_S, Raise, Raising, raises
from voiceroom_operator.remediation.records import budget_dict
from voiceroom_operator.remediation.suspects import Alarm


def world(needs_m: int = 1500, **policy: Any) -> Drifting:
    """Pods of one CPU; the one with the rooms needs more."""
    made = Drifting(policy=Policy(**({"raise_to_m": 2000} | policy)))
    for pod in made.pods.values():
        pod.cpu = CpuLimit(1000, 1000)
    made.room("a", "pod-1")
    made.room("b", "pod-1")
    made.pods["pod-1"].needs_m = needs_m
    return made


def said(here: Drifting) -> list[str]:
    return [say.reason for say in here.last.says]


def test_a_throttled_pod_gets_more_and_nobody_moves() -> None:
    here = world()
    here.pass_time(3)
    assert [(e.pod, e.from_m, e.to_m) for e in here.last.fresh_raises] == [("pod-1", 1000, 2000)]
    assert (here.raised, said(here)) == ([], ["CpuLimitRaised"])  # not before it is on record
    here.pass_time(1)
    assert [(name, to_m) for _, name, to_m in here.raised] == [("pod-1", 2000)]
    here.pass_time(2)
    assert said(here) == ["CpuLimitSet"]
    here.pass_time(120)
    assert (here.begun, here.moves, len(here.raised)) == ([], [], 1)
    assert here.last.causes == {}
    assert "was raised in place to 2 CPU" in here.last.in_place["pod-1"]


@pytest.mark.parametrize("cause", sorted({*names.VERDICTS, ""} - {names.THROTTLE, names.OVERLOAD}))
def test_nothing_else_is_cured_by_more_cpu(cause: str) -> None:
    here = world(needs_m=0)
    here.pods["pod-1"].bad = cause
    here.pass_time(4)
    assert here.raised == []
    assert here.begun


@pytest.mark.parametrize("answer", ["Refused", "Deferred", "Infeasible"])
def test_what_is_refused_is_left_at_once(answer: Refused) -> None:
    here = world()
    here.pods["pod-1"].answer = answer
    here.pass_time(6)
    assert [name for _, _, name in here.begun] == ["pod-1"]
    assert here.raised
    (entry,) = here.status["budget"]["raises"]
    assert entry["outcome"] == answer
    here.pass_time(1)
    assert {room for _, room, _ in here.moves} == {"a", "b"}


def test_what_the_kubelet_does_not_set_in_time_is_left() -> None:
    here = world()
    here.pods["pod-1"].takes_s = 1000
    here.pass_time(3 + int(APPLY_S))
    assert here.begun == []
    here.pass_time(2)
    assert [name for _, _, name in here.begun] == ["pod-1"]
    (entry,) = here.status["budget"]["raises"]
    assert entry["outcome"] == "NotSet"


def test_what_more_cpu_does_not_cure_is_left() -> None:
    here = world(needs_m=3000)
    here.pass_time(6)
    (entry,) = here.status["budget"]["raises"]
    assert entry["outcome"] == "Set"
    assert here.begun == []
    here.pass_time(here.policy.span_s + 2)
    assert [name for _, _, name in here.begun] == ["pod-1"]
    assert len(here.raised) == 1


def test_an_operator_that_starts_anew_goes_on() -> None:
    here = world()
    here.pass_time(3)
    here.restart()
    here.pass_time(5)
    assert (len(here.raised), here.begun, here.moves) == (1, [], [])


def test_a_dry_run_says_it_and_then_what_would_follow() -> None:
    here = world(mode="DryRun")
    here.pass_time(3)
    (say,) = here.last.says
    assert say.reason == "DriftDryRun"
    assert "would be raised in place from 1 CPU to 2 CPU" in say.message
    here.pass_time(int(APPLY_S) + 2)
    assert [entry.name for entry in here.last.record] == ["pod-1"]
    assert (here.raised, here.moves, here.begun) == ([], [], [])


def test_what_is_on_record_is_not_asked_for_once_the_pool_is_not_to_act() -> None:
    here = world()
    here.pass_time(3)
    assert here.last.fresh_raises
    here.policy = replace(here.policy, mode="DryRun")
    here.pass_time(5)
    assert here.raised == []


def test_no_more_than_the_bound_and_only_where_it_leaves_something() -> None:
    here = world(raise_to_m=1000)
    here.pass_time(4)
    assert (here.raised, len(here.begun)) == ([], 1)
    here = world(mode="Off")
    here.pass_time(6)
    assert here.last.raises == ()


def test_as_many_an_hour_as_pods_may_be_left() -> None:
    here = world(pods_per_hour=1, storm_percent=100)
    here.pods["pod-3"].needs_m = 1500
    here.pass_time(6)
    assert [name for _, name, _ in here.raised] == ["pod-1"]
    assert [name for _, _, name in here.begun] == ["pod-3"]


def squeeze(here: Drifting, pod: str, seconds: int = 6) -> None:
    """Its quota is too small from now on."""
    here.pods[pod].needs_m = 1500
    here.pass_time(seconds)


@pytest.mark.parametrize("answer", ["", "Refused", "Deferred", "Infeasible"])
def test_what_was_raised_for_a_pod_that_is_gone_counts_for_its_hour(answer: Refused) -> None:
    here = world(pods_per_hour=1, storm_percent=100)
    here.pods["pod-1"].answer = answer
    here.pass_time(6)
    here.rooms.clear()
    here.pass_time(1)
    here.pods.pop("pod-1", None)  # where it was left for, it has been replaced by now
    squeeze(here, "pod-3")
    for pod in here.pods.values():
        pod.needs_m = 0
    assert [name for _, name, _ in here.raised] == ["pod-1"]
    assert [entry.pod for entry in here.last.raises] == ["pod-1"]
    begun_s = here.last.raises[0].at_s
    here.leap(begun_s + HOUR_S - here.now_s - 1.0)
    assert [entry.pod for entry in here.last.raises] == ["pod-1"]
    here.pass_time(1)
    assert here.last.raises == ()
    squeeze(here, "pod-5")
    assert [name for _, name, _ in here.raised] == ["pod-1", "pod-5"]


def test_what_is_under_way_for_a_pod_that_is_gone_ends_in_time() -> None:
    here = world()
    here.pods["pod-1"].takes_s = 1000
    here.pass_time(4)
    (under_way,) = here.last.raises
    here.death("pod-1")
    while here.now_s < under_way.until_s - 1.0:
        here.pass_time(1)
        assert here.last.raises == (under_way,)
        assert here.last.due_raises == ()
    here.pass_time(1)
    (ended,) = here.last.ended_raises
    assert (ended.outcome, ended.until_s) == ("NotSet", under_way.until_s)
    (say,) = here.last.says
    assert say.reason == "CpuLimitNotSet"
    assert say.message.endswith("NotSet (the pod is gone)")
    here.pass_time(1)
    assert (len(here.last.raises), here.last.ended_raises, said(here)) == (1, (), [])


def test_a_pod_that_is_missed_by_one_look_goes_on() -> None:
    here = world()
    here.pass_time(4)
    here.rooms.clear()
    missed = here.pods.pop("pod-1")
    here.round()
    here.pods["pod-1"] = missed
    here.pass_time(2)
    assert [entry.outcome for entry in here.last.raises] == ["Set"]
    assert len(here.raised) == 1


def test_a_pod_of_the_same_name_is_another() -> None:
    """What conditions say of the one is not said of the other, and it has a raise of its own."""
    here = world()
    here.pass_time(6)
    assert "pod-1" in here.last.in_place
    anew = here.death("pod-1")
    here.pods["pod-1"] = replace(here.pods.pop(anew.name), name="pod-1", cpu=CpuLimit(1000, 1000))
    here.rooms.clear()
    here.pass_time(1)
    assert here.last.in_place == {}
    here.pass_time(int(here.policy.min_healthy_age_s))
    squeeze(here, "pod-1")
    assert [(entry.pod, entry.uid) for entry in here.last.raises] == [
        ("pod-1", "uid-1"),
        ("pod-1", anew.uid),
    ]


def test_a_dry_run_counts_those_of_pods_that_are_gone_as_well() -> None:
    here = world(mode="DryRun", pods_per_hour=1, storm_percent=100)
    here.pass_time(4)
    here.death("pod-1")
    squeeze(here, "pod-3")
    assert [(entry.pod, entry.dry) for entry in here.last.raises] == [("pod-1", True)]
    assert [entry.name for entry in here.last.record] == ["pod-3"]


def test_nothing_that_still_counts_is_more_than_the_status_takes() -> None:
    """The greatest budget twice, in a dry run and in earnest, of pods that are all gone."""
    most = MixerPoolSpec(remediation=Remediation(budget=Budget(pods_per_hour=100)))
    count, at_s = 2 * policy_of(most).pods_per_hour, 1_800_000_000.0
    entries = tuple(
        Raise(f"p{n}", f"u{n}", "n", 700, 1400, at_s, at_s + 11.0, dry=n % 2 == 0)
        for n in range(count)
    )
    raising = Raising(entries, (), policy_of(most), at_s + 1.0)
    assert len(budget_dict((), (), 0, (), raising.record)["raises"]) == count


def test_a_storm_of_throttling_is_met_in_place() -> None:
    here = world()
    for name in ("pod-1", "pod-3", "pod-5"):
        here.pods[name].needs_m = 1500
    here.pass_time(20)
    assert {name for _, name, _ in here.raised} == {"pod-1", "pod-3", "pod-5"}
    assert (here.begun, here.moves) == ([], [])


def test_a_node_that_goes_bad_meanwhile_is_left_all_the_same() -> None:
    here = world()
    here.pods["pod-1"].takes_s = 1000
    here.pass_time(4)
    stall(here, "node-0")
    here.pods["pod-1"].needs_m = 0
    here.pass_time(5)
    assert [(what, name) for _, what, name in here.begun] == [("Node", "node-0")]


def test_where_alerts_alone_judge_they_are_given_time_to_end() -> None:
    here = world(own_look=False)
    at_s = here.now_s
    here.firing = (Alarm("x", at_s, at_s + 90.0, names.THROTTLE, "pod-1"),)
    here.pass_time(100)
    assert (len(here.raised), here.begun) == (1, [])


@pytest.mark.parametrize(("seconds", "left"), [(1, False), (3, True)])
def test_an_alert_that_still_fires_for_what_is_cured_is_old_news(seconds: int, left: bool) -> None:
    here = world()
    here.pass_time(20)
    here.firing = (Alarm("x", here.now_s, here.now_s + 60.0, names.THROTTLE, "pod-1"),)
    here.pods["pod-1"].needs_m = 0
    here.pods["pod-1"].bad = ""
    here.pass_time(seconds)
    here.pods["pod-1"].bad = None
    here.pass_time(8)
    assert bool(here.begun) is left


def test_the_bound_is_the_specs() -> None:
    def bound(cpu: str, percent: int, realtime: Realtime | None = None) -> int:
        spec = MixerPoolSpec(
            resources=Resources(limits=Limits(cpu=cpu)),
            remediation=Remediation(cpu_limit_percent=percent),
            realtime=realtime or Realtime(),
        )
        return policy_of(spec).raise_to_m

    assert [bound("1", 200), bound("700m", 200), bound("250m", 150)] == [2000, 1400, 375]
    assert bound("1", 100) == 0
    assert bound("2", 200, Realtime("Exclusive")) == 0


def test_it_goes_through_the_status_as_it_is() -> None:
    entry = Raise("p", "u", "n", 700, 1400, 1_800_000_000.0, 1_800_000_011.0, "Set")
    dry = Raise("q", "v", "n", 700, 1400, 1_800_000_000.0, 1_800_000_011.0, dry=True)
    listed = [entry.to_dict(), dry.to_dict()]
    assert raises({"budget": {"raises": listed}}) == (entry, dry)


@pytest.mark.parametrize("spoilt", [None, 3, [3], [{}], [{"uid": "u", "to": "x", "at": "never"}]])
def test_what_is_spoilt_is_passed_by(spoilt: object) -> None:
    assert raises({"budget": {"raises": spoilt}}) == ()
