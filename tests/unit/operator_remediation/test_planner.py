"""Plans, case by case; ``property/test_remediation.py`` has what nobody thought of."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from fakes.drift import BEGIN_S, Drifting, heal, stall
from voiceroom_api import names
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.poolparts import Remediation, Timing
from voiceroom_operator.remediation.drifted import drifted, next_drifted
from voiceroom_operator.remediation.policy import Policy, policy_of
from voiceroom_operator.remediation.records import (
    MOST,
    Evacuation,
    budget_dict,
    evacuations,
)
from voiceroom_operator.remediation.suspects import Alarm


def world(**policy: Any) -> Drifting:
    made = Drifting(policy=Policy(**policy))
    made.room("a", "pod-1")
    made.room("b", "pod-1")
    return made


def test_the_policy_is_the_spec() -> None:
    assert policy_of(MixerPoolSpec()) == Policy()
    spec = MixerPoolSpec(
        remediation=Remediation(window="2s", healthy_delay="1m", quarantine="Taint"),
        timing=Timing("bareMetal"),
    )
    found = policy_of(spec)
    assert (found.window_s, found.healthy_delay_s, found.taints) == (2, 60.0, True)
    assert found.threshold.bad_ms == 10.0
    assert found.span_s == 10


def test_two_bad_windows_of_five_are_not_enough_and_three_are() -> None:
    here = world()
    here.pods["pod-1"].bad = "gc"
    here.pass_time(2)
    assert here.begun == []
    here.pass_time(1)
    assert [name for _, _, name in here.begun] == ["pod-1"]
    here.pass_time(1)
    assert {room.pod for room in here.rooms.values()} != {"pod-1"}


def test_a_decision_is_on_record_before_it_is_acted_on() -> None:
    here = world()
    here.pods["pod-1"].bad = "gc"
    here.pass_time(3)
    assert [entry.name for entry in here.last.fresh] == ["pod-1"]
    assert (here.last.leave, here.last.draining) == ({}, frozenset())
    here.pass_time(1)
    assert here.last.leave == {"a": "gc", "b": "gc"}


def test_a_young_pod_is_not_judged() -> None:
    here = world()
    here.pods["pod-1"].started_s = here.now_s
    here.pods["pod-1"].bad = "gc"
    here.pass_time(9)
    assert here.begun == []
    here.pass_time(2)
    assert len(here.begun) == 1


def test_the_cooldown_doubles_up_to_its_most_and_begins_anew_after_calm() -> None:
    policy = Policy(cooldown_s=60.0, cooldown_max_s=200.0)
    assert [policy.cooldown_after(level) for level in range(1, 6)] == [60, 120, 200, 200, 200]
    here = world(cooldown_s=30.0, cooldown_max_s=100.0, pods_per_hour=50, healthy_delay_s=5.0)
    for _ in range(400):
        here.pods[here.rooms["a"].pod].bad = "gc"
        here.pass_time(1)
    times = [at_s for at_s, room, _ in here.moves if room == "a"]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[0] >= 30
    assert gaps[1] >= 60
    assert all(gap >= 100 for gap in gaps[2:])
    assert len(times) >= 4


def test_a_cooldown_is_not_shortened_by_the_whole_seconds_of_its_record() -> None:
    policy = Policy(cooldown_s=30.0)
    moved_s = BEGIN_S + 0.9
    kept = drifted(
        {"moves": {"drift": next_drifted(None, "a", policy, moved_s, heard=True).to_dict()}}
    )
    assert kept is not None
    assert 30.0 <= kept.free_s(policy) - moved_s < 31.0


def test_a_room_that_cools_down_says_until_when() -> None:
    here = world(cooldown_s=60.0)
    here.pods["pod-1"].bad = "gc"
    here.pass_time(5)
    here.pods[here.rooms["a"].pod].bad = "gc"
    here.pass_time(5)
    assert here.last.held["a"].reason == names.COOLDOWN_ACTIVE
    words = here.last.held["a"].message
    here.pass_time(5)
    assert here.last.held["a"].message == words
    assert here.last.requeue_after_s is not None


def test_an_empty_room_has_no_cooldown() -> None:
    here = world()
    here.rooms["a"] = replace(here.rooms["a"], legs=0)
    for _ in range(2):
        here.pods[here.rooms["a"].pod].bad = "gc"
        here.pass_time(6)
    assert [room for _, room, _ in here.moves].count("a") == 2


def test_a_node_is_quarantined_until_it_has_kept_time() -> None:
    here = world(healthy_delay_s=100.0)
    stall(here, "node-0")
    here.pass_time(30)
    assert here.last.quarantined.keys() == {"node-0"}
    assert here.on("node-0") == []
    heal(here, "node-0")
    here.leap(101.0 + 10.0)
    assert here.last.quarantined == {}
    assert any(say.reason == "NodeReleased" for say in here.last.says)


def test_quarantine_is_put_off_while_the_node_is_not_good() -> None:
    here = world(healthy_delay_s=60.0)
    here.room("held", "pod-2", paused="a concert")
    stall(here, "node-0")
    here.pass_time(200)
    (until_s,) = here.last.quarantined.values()
    assert until_s >= here.now_s + 60.0
    assert {room.pod for room in here.rooms.values()} >= {"pod-2"}


def test_overload_moves_the_fewest_rooms_and_looks_before_it_moves_more() -> None:
    here = world()
    for name, cost in (("c", 1.0), ("d", 1.0), ("e", 1.0)):
        here.room(name, "pod-1", cost=cost)
    here.pods["pod-1"].bad, here.pods["pod-1"].work_ms = names.OVERLOAD, 19.0
    here.pass_time(4)
    assert len(here.moves) == 1
    assert here.begun == []
    here.pass_time(4)
    assert len(here.moves) == 1
    here.pass_time(4)
    assert len(here.moves) == 2


def test_a_pod_with_one_room_that_is_too_much_keeps_it() -> None:
    here = Drifting()
    here.room("only", "pod-1")
    here.pods["pod-1"].bad, here.pods["pod-1"].work_ms = names.OVERLOAD, 30.0
    here.pass_time(20)
    assert here.moves == []


def test_without_another_pod_or_node_nobody_is_left() -> None:
    here = Drifting(nodes=1, pods_on_each=1)
    here.room("a", "pod-1")
    here.pods["pod-1"].bad = "gc"
    here.pass_time(20)
    assert here.begun == []
    assert here.last.blocked is not None
    assert here.last.blocked.reason == names.NO_CANDIDATE_NODE


def test_another_node_at_a_time() -> None:
    here = Drifting(nodes=5, policy=Policy(storm_percent=60))
    for at, pod in enumerate(tuple(here.pods)):
        here.room(f"r{at}", pod, paused="a concert" if at == 0 else "")
    stall(here, "node-0")
    stall(here, "node-1")
    here.pass_time(20)
    assert [name for _, _, name in here.begun] == ["node-0"]
    assert here.last.blocked is not None
    assert here.last.blocked.reason == names.BUDGET_EXHAUSTED
    assert "node-0 is being left" in here.last.blocked.message


@pytest.mark.parametrize("mode", ["DryRun", "Off"])
def test_a_rooms_own_mode_is_its_own(mode: Any) -> None:
    here = world(mode=mode)
    here.rooms["a"] = replace(here.rooms["a"], mode="Enforce")
    here.pods["pod-1"].bad = "gc"
    here.pass_time(6)
    assert [room for _, room, _ in here.moves] == ["a"]
    assert here.last.draining == frozenset()
    assert all(entry.dry for entry in evacuations(here.status))


def test_a_room_that_is_switched_off_stays() -> None:
    here = world()
    here.rooms["a"] = replace(here.rooms["a"], mode="Off")
    here.pods["pod-1"].bad = "gc"
    here.pass_time(10)
    assert {room for _, room, _ in here.moves} == {"b"}
    assert here.last.held["a"].reason == names.SWITCHED_OFF


def alarm(here: Drifting, pod: str, cause: str = "") -> None:
    here.firing = (Alarm("k", here.now_s, here.now_s + 600.0, cause, pod),)


@pytest.mark.parametrize(
    ("policy", "acts"),
    [
        ({}, False),
        ({"trust_alerts": True}, True),
        ({"own_look": False}, True),
        ({"own_look": False, "trust_alerts": False}, False),
    ],
)
def test_when_an_alert_is_enough(policy: dict[str, Any], acts: bool) -> None:
    here = world(**policy)
    alarm(here, "pod-1", "gc")
    here.pass_time(5)
    assert bool(here.begun) is acts


def test_an_alert_suffices_where_a_pod_shows_nothing() -> None:
    here = world()
    here.pods["pod-1"].history = ()
    alarm(here, "pod-1", "gc")
    assert [entry.name for entry in here.plan().fresh] == ["pod-1"]


# On record


def entry(name: str, at_s: float, **fields: Any) -> Evacuation:
    usual: dict[str, Any] = {"uid": f"uid-{name}", "node": "n", "cause": "gc"}
    return Evacuation("Pod", name, **(usual | {"at_s": at_s, "until_s": at_s + 60} | fields))


def test_what_is_written_is_read_back() -> None:
    both = (entry("a", 1_800_000_000.0), entry("b", 1_800_000_001.0, dry=True))
    node = Evacuation("Node", "n", "", "n", "starved", 1_800_000_002.0, 1_800_000_300.0)
    written = {"budget": budget_dict((*both, node), ["n"], 2, ())}
    assert evacuations(written) == (*both, node)


@pytest.mark.parametrize("spoilt", [None, 7, [], {}, {"evacuations": [7, {}, {"what": "Pod"}]}])
def test_what_is_spoilt_is_passed_by(spoilt: Any) -> None:
    assert evacuations({"budget": spoilt} if spoilt is not None else {}) == ()


def test_the_list_is_bounded_and_a_full_one_begins_nothing() -> None:
    here = world(pods_per_hour=100)
    far_s = here.now_s + 90_000.0
    record = [entry(f"p{at}", here.now_s - 7200.0, until_s=far_s) for at in range(MOST + 5)]
    here.status = {"budget": budget_dict(record, [], 0, ())}
    assert len(evacuations(here.status)) == MOST
    here.pods["pod-1"].bad = "gc"
    here.pass_time(6)
    assert here.begun == []
    assert here.last.blocked is not None
