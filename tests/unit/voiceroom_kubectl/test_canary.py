"""``canary``, as a person types it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fakes.kubecluster import FakeCluster, room
from fakes.typed import Typed
from voiceroom_api import names
from voiceroom_kubectl.cluster import NotFound

FOUND = {
    "phase": "Observing",
    "reason": "TooFewSamples",
    "message": "p99 of tick lateness: no samples yet",
    "since": "2027-01-01T00:00:00Z",
    "rooms": 7,
    "decision": {"id": "ab", "state": "Refused", "message": "it is Promoted already"},
    "indicators": [
        {"name": "Lateness", "verdict": "Good", "value": 87.2, "limit": 2000, "samples": 15000},
        {"name": "Jitter", "verdict": "TooFew", "limit": 0.92, "samples": 3, "needed": 600},
    ],
}


def pool(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec, "status": {}}


@pytest.fixture
def typed() -> Typed:
    cluster = FakeCluster().add(room("lobby"))
    canary = pool("next", canary={"of": "gold"}) | {"status": {"canary": FOUND}}
    for each in (canary, pool("gold"), pool("fresh", canary={"of": "gold"})):
        cluster.mixerpools["default", each["metadata"]["name"]] = each
    return Typed(cluster)


def test_where_it_stands(typed: Typed) -> None:
    assert typed.run("canary", "next") == 0
    assert "next is the canary of gold: Observing since 2027-01-01" in typed.out
    assert "7 of its rooms" in typed.out
    assert "decision ab: Refused: it is Promoted already" in typed.out
    lateness, jitter = (line.split() for line in typed.out.splitlines()[-2:])
    assert lateness == ["Lateness", "87", "us", "2000", "us", "15000", "0", "Good"]
    assert jitter == ["Jitter", "-", "0.920", "3", "600", "TooFew"]


def test_one_of_which_nothing_is_known_yet(typed: Typed) -> None:
    assert typed.run("canary", "fresh") == 0
    assert "has not said anything yet" in typed.out


@pytest.mark.parametrize(
    ("word", "wish"), [("promote", "Promote"), ("rollback", "RollBack"), ("retry", "Retry")]
)
def test_a_person_decides(typed: Typed, word: str, wish: str) -> None:
    assert typed.run("canary", "next", word, "--why", "seen enough") == 0
    notes = typed.cluster.pools("default")[-1]["metadata"]["annotations"]
    said = json.loads(notes[names.CANARY_ANNOTATION])
    assert (said["do"], said["why"]) == (wish, "seen enough")
    assert said["id"] in typed.out


@pytest.mark.parametrize("name", ["gold", "nowhere"])
def test_what_is_no_canary_is_told(typed: Typed, name: str) -> None:
    with pytest.raises(NotFound, match=name):
        typed.run("canary", name, "promote")


def test_another_word_is_refused(typed: Typed) -> None:
    with pytest.raises(SystemExit):
        typed.run("canary", "next", "perhaps")
