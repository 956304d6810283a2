"""What pods of a canary count, which rooms it has, and what is taken over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.apiserver import _merged
from voiceroom_api import names
from voiceroom_api.fields import read
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.problems import Problem
from voiceroom_api.thresholds import PROFILES
from voiceroom_operator.canary import promotion
from voiceroom_operator.canary.counts import EDGES_US, Counts, binned, quantile_us
from voiceroom_operator.canary.gate import gate_of
from voiceroom_operator.canary.series import MOST, Series, taken, total
from voiceroom_operator.canary.shares import Share, changed, pool_for
from voiceroom_operator.reading.counts import counts_of
from voiceroom_operator.reading.orders import order_of

UIDS = [f"uid-{number:05}" for number in range(4000)]


def spec(**given: Any) -> MixerPoolSpec:
    problems: list[Problem] = []
    found = read(MixerPoolSpec, given, "spec", problems)
    assert found is not None, problems
    return found


def test_p99_is_held_to_the_limit_of_every_profile_exactly() -> None:
    for profile in PROFILES.values():
        at = EDGES_US.index(profile.canary_us)
        for beyond, is_below in ((9, True), (11, False)):
            late = [0] * (len(EDGES_US) + 1)
            late[at], late[at + 1] = 1000 - beyond, beyond
            value = quantile_us(tuple(late), 0.99)
            assert value is not None
            assert (value < profile.canary_us) == is_below


def test_edges_of_another_image_are_never_taken_for_better() -> None:
    found = binned((60, 115, 200_000), (5, 6, 7, 8), skipped=2)
    assert found[EDGES_US.index(100)] == 5
    assert found[EDGES_US.index(120)] == 6
    assert found[-1] == 7 + 8 + 2


def test_a_container_that_began_anew_counts_from_nothing() -> None:
    before, after = Counts("one", jitter=(5, 9)), Counts("two", jitter=(1, 2))
    assert after.since(before).jitter == (1, 2)
    assert after.since(None).jitter == (0, 0), "when it was counted is not known"
    assert Counts("two", jitter=(4, 7)).since(after).jitter == (3, 5)
    assert Counts("two", jitter=(0, 0)).since(after).jitter == (0, 0), "whatever it says"


def test_a_window_forgets_what_lies_before_it_and_is_bounded() -> None:
    series: Series = ()
    for second in range(2000):
        series = taken(series, (1, 1), 600, 1000.0 + second)
        assert len(series) <= MOST
    good, every = total(series, (0, 0))
    assert good == every
    assert 600 <= every <= 660, "the window, and the rest of its oldest part"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"bootId": "b", "indicators": 3},
        {"bootId": "b", "indicators": {"lateness": {"edgesUs": "x", "counts": [1, None, -4]}}},
        {"indicators": {"jitter": {"edgesUs": [1], "counts": [2, 3]}}},
    ],
)
def test_reports_that_are_spoilt_count_nothing(body: dict[str, Any]) -> None:
    found = counts_of(body)
    assert (found.jitter, found.recoveries) == ((0, 0), (0, 0))


def test_a_report_is_read() -> None:
    said = {
        "lateness": {"edgesUs": [50, 100], "counts": [7, 2, 1], "skipped": 4},
        "jitter": {"edgesUs": [10_000, 30_000, 50_000], "counts": [3, 4, 2, 1]},
        "recoveries": {"recovered": 5, "late": 1, "restarted": 2},
    }
    found = counts_of({"bootId": "b", "indicators": said})
    assert (found.late[0], found.late[1], found.late[-1]) == (7, 2, 5)
    assert (found.jitter, found.recoveries) == ((7, 10), (5, 8))


def test_a_share_is_what_it_says_and_a_greater_one_keeps_the_rooms_of_a_lesser() -> None:
    before: set[str] = set()
    for percent in (0, 1, 10, 50, 100):
        shares = {"default": Share("next", percent)}
        mine = {uid for uid in UIDS if pool_for("default", uid, shares) == "next"}
        assert before <= mine
        assert abs(len(mine) / len(UIDS) - percent / 100) < 0.02
        before = mine
    assert pool_for("other", UIDS[0], {"default": Share("next", 100)}) == "other"
    assert changed({"a": Share("x", 1)}, {"a": Share("x", 2), "b": Share("y", 1)}) == {"a", "b"}


def test_the_other_pool_takes_over_what_runs_and_keeps_the_rest() -> None:
    canary = spec(
        image="a:2",
        env=[{"name": "A", "value": "1"}],
        resources={"limits": {"cpu": "2"}},
        nodeSelector={"pool": "canary"},
        canary={"of": "default"},
    )
    other = {
        "image": "a:1",
        "imagePullPolicy": "Always",
        "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}},
        "size": {"min": 7},
        "drain": {"deadline": "5m"},
    }
    after = _merged(json.loads(json.dumps(other)), promotion.patch(canary, other))
    assert promotion.alike(canary, spec(**after))
    assert (after["image"], "imagePullPolicy" in after) == ("a:2", False)
    assert "requests" not in after["resources"] or not after["resources"]["requests"]
    assert (after["size"], after["drain"]) == (other["size"], other["drain"])
    assert "nodeSelector" not in after
    assert "canary" not in after


def test_the_limit_of_lateness_is_the_profiles_unless_it_is_given() -> None:
    for profile in PROFILES:
        found = spec(canary={"of": "default"}).canary
        assert found is not None
        assert gate_of(found.gate, profile).max_us == PROFILES[profile].canary_us
    own = spec(canary={"of": "default", "gate": {"lateness": {"maxUs": 300}}}).canary
    assert own is not None
    assert gate_of(own.gate, "vm").max_us == 300


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "it is not an object"),
        ('{"do": "Promote"}', "id must be"),
        ('{"id": "1"}', "do must be"),
        ('{"id": "1", "do": "promote"}', "do must be"),
        ('{"id": "1", "do": "Promote", "to": "b"}', "there is no field to"),
        ('{"id": "1", "do": "Promote", "why": 3}', "why must be"),
        ('{"id": "1", "do": "Promote"}', ""),
    ],
)
def test_decisions_are_read_or_refused_in_words(text: str, problem: str) -> None:
    order = order_of({"metadata": {"annotations": {names.CANARY_ANNOTATION: text}}})
    assert order is not None
    assert order.problem.startswith(problem)
    assert bool(order.problem) == bool(problem)
