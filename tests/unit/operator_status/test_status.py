"""What kubectl shows of rooms and pools."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fakes.pools import NOW_S, Cluster, bound, pod, room, wanted
from voiceroom_api import reasons
from voiceroom_operator.binding.decisions import Unplaced, Waiting
from voiceroom_operator.observed import MoveSeen, NodeSeen, Standing
from voiceroom_operator.pool.crew import muster
from voiceroom_operator.status.facts import Granted, Remedy, Timeliness
from voiceroom_operator.status.moves import Arrival
from voiceroom_operator.status.pool import PoolFacts, pool_status
from voiceroom_operator.status.refusals import refusal
from voiceroom_operator.status.room import RoomFacts, room_status

CRDS = Path(__file__).parents[3] / "crds"
GRANTED = Granted("Quota", True, "Granted")
HERE = bound("r", 0, epoch=3, twin="voiceroom-p-1")
GOOD = RoomFacts(
    room=HERE,
    generation=5,
    realtime=GRANTED,
    pod=pod(0),
    standing=Standing.SERVING,
    confirmed=True,
    url="https://voice.example.org/rooms/r",
    udp=("192.0.2.1:20000",),
    participants=4,
    timing=Timeliness(p99_ms=0.4),
)
NO_ROOM = Unplaced("r", "p", "NoCapacity", "raise spec.size.max")
STARTING = Unplaced("r", "p", "WaitingForPod", "no pod is ready yet")
NOWHERE = replace(GOOD, room=room("r"), pod=None, confirmed=False, standing=Standing.LOST)


def refused_by(kind: str, status: dict[str, Any]) -> list[str]:
    """What the CRD's schema has against it, and reasons that are not in the docs."""
    crd = yaml.safe_load((CRDS / kind).read_text())
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    unknown = sorted(status.keys() - schema["properties"].keys())
    found = [error.message for error in Draft202012Validator(schema).iter_errors(status)]
    known = reasons.VOICE_ROOM if kind == "voicerooms.yaml" else reasons.MIXER_POOL
    undocumented = [
        f"{entry['type']}: {entry['reason']}"
        for entry in status["conditions"]
        if entry["reason"] not in known[entry["type"]].reasons
    ]
    return unknown + found + undocumented


def condition(status: dict[str, Any], kind: str) -> tuple[str, str, str]:
    (found,) = (entry for entry in status["conditions"] if entry["type"] == kind)
    return found["status"], found["reason"], found["message"]


ROOMS = [
    ("all is well", GOOD, "Ready", "True", "AsWanted"),
    ("nobody has it yet", replace(NOWHERE, unplaced=STARTING), "Pending", "False", "WaitingForPod"),
    ("it fits nowhere", replace(NOWHERE, unplaced=NO_ROOM), "Failed", "False", "NoCapacity"),
    (
        "the cluster refuses the pod",
        replace(NOWHERE, unplaced=STARTING, refusal=refusal("exceeded quota: q")),
        "Failed",
        "False",
        "PodRefused",
    ),
    (
        "no pool",
        replace(NOWHERE, unplaced=Unplaced("r", "p", "PoolNotFound", "make it")),
        "Failed",
        "False",
        "PoolNotFound",
    ),
    ("not confirmed", replace(GOOD, confirmed=False), "Pending", "False", "WaitingForPod"),
    ("the pod is lost", replace(GOOD, standing=Standing.LOST), "Pending", "False", "WaitingForPod"),
    ("the pod drains", replace(GOOD, standing=Standing.LEAVING), "Draining", "True", "AsWanted"),
    (
        "the pod ends",
        replace(GOOD, standing=Standing.LEAVING, pod=pod(0, deleting=True)),
        "Draining",
        "False",
        "Drain",
    ),
    (
        "it moves",
        replace(GOOD, room=replace(HERE, move=MoveSeen("voiceroom-p-1", 4))),
        "Moving",
        "True",
        "AsWanted",
    ),
    (
        "the timer is bad",
        replace(GOOD, timing=Timeliness(9.5, "loop-block", NOW_S)),
        "Degraded",
        "True",
        "AsWanted",
    ),
    (
        "not ready for a moment",
        replace(GOOD, standing=Standing.UNREADY),
        "Degraded",
        "True",
        "AsWanted",
    ),
]


@pytest.mark.parametrize(
    ("facts", "phase", "ready", "reason"),
    [row[1:] for row in ROOMS],
    ids=[row[0] for row in ROOMS],
)
def test_a_room_in_one_word_and_why(facts: RoomFacts, phase: str, ready: str, reason: str) -> None:
    status = room_status({}, facts, NOW_S)
    assert status["phase"] == phase
    assert condition(status, "Ready")[:2] == (ready, reason)
    assert status["observedGeneration"] == 5
    assert refused_by("voicerooms.yaml", status) == []


@pytest.mark.parametrize(
    ("people", "verdict", "p99_ms"), [(0, "", 0.4), (1, "", 9.0), (0, "starved", 9.0)]
)
def test_an_empty_room_is_not_written_because_its_pod_is_a_little_later(
    people: int, verdict: str, p99_ms: float
) -> None:
    written = room_status({}, replace(GOOD, participants=0), NOW_S)
    since_s = NOW_S if verdict else None
    timing = Timeliness(p99_ms=9.0, verdict=verdict, since_s=since_s)
    status = room_status(written, replace(GOOD, participants=people, timing=timing), NOW_S)
    assert status["timing"]["p99Ms"] == p99_ms
    assert status["timing"]["verdict"] == verdict


def test_the_columns_of_kubectl_get() -> None:
    status = room_status({}, GOOD, NOW_S)
    assert status["podName"] == "voiceroom-p-0"
    assert status["twinPodName"] == "voiceroom-p-1"
    assert status["nodeName"] == "node-0"
    assert status["participants"] == 4
    assert status["epoch"] == 3
    assert status["timing"]["p99Ms"] == 0.4
    assert status["endpoint"] == {
        "url": "https://voice.example.org/rooms/r",
        "udp": ["192.0.2.1:20000"],
    }
    assert condition(status, "Bound")[:2] == ("True", "PodAssigned")


def test_a_room_without_a_pod_names_none() -> None:
    status = room_status({"podName": "gone"}, replace(NOWHERE, unplaced=NO_ROOM), NOW_S)
    assert {"podName", "nodeName", "endpoint"}.isdisjoint(status)
    assert condition(status, "Bound") == ("False", "NoCapacity", "raise spec.size.max")


def test_the_story_of_moves_is_kept() -> None:
    moves = {"count": 2, "history": []}
    assert room_status({"moves": moves}, GOOD, NOW_S)["moves"] == moves


def test_a_take_over_is_recorded_as_a_move_that_nobody_had_decided() -> None:
    facts = replace(GOOD, arrival=Arrival(GOOD.room.epoch, 480, 24))
    moves = room_status({"podName": "lost"}, facts, NOW_S)["moves"]
    assert (moves["count"], moves["history"]) == (1, [moves["last"]])
    last = moves["last"]
    assert (last["from"], last["to"], last["reason"]) == ("lost", GOOD.room.pod, "NodeLost")
    assert (last["gapMs"], last["lostFrames"]) == (480, 24)
    again = room_status({"podName": GOOD.room.pod, "moves": moves}, facts, NOW_S)
    assert again["moves"] == moves, "once"


def test_nothing_is_claimed_that_no_pod_has_said() -> None:
    status = room_status({}, replace(GOOD, realtime=Granted("Fifo"), timing=Timeliness()), NOW_S)
    assert condition(status, "RealtimeGranted")[:2] == ("Unknown", "NotReported")
    assert condition(status, "TimingHealthy")[:2] == ("Unknown", "NotReported")
    assert status["realtime"] == {"mode": "Fifo"}
    assert "timing" not in status


def test_what_was_not_granted_is_said_with_the_remedy() -> None:
    realtime = Granted("Fifo", False, "RTGroupSchedBlocked", "EPERM: use another kernel")
    status = room_status({}, replace(GOOD, realtime=realtime), NOW_S)
    assert condition(status, "RealtimeGranted") == (
        "False",
        "RTGroupSchedBlocked",
        "EPERM: use another kernel",
    )
    assert status["realtime"] == {
        "mode": "Fifo",
        "granted": False,
        "reason": "EPERM: use another kernel",
    }


def test_a_bad_timer_is_named() -> None:
    status = room_status({}, replace(GOOD, timing=Timeliness(9.5, "loop-block", NOW_S)), NOW_S)
    assert condition(status, "TimingHealthy")[:2] == ("False", "LoopBlock")
    assert status["timing"]["since"] == "2027-01-15T08:00:00Z"


def test_a_room_that_ought_to_move_says_why_it_stays() -> None:
    waiting = Waiting("r", "Drain", "4 are in")
    status = room_status({}, replace(GOOD, waiting=waiting), NOW_S)
    assert condition(status, "Moving") == ("False", "NotMoving", "4 are in")


def test_a_block_of_remediation_is_said() -> None:
    facts = replace(GOOD, remedy=Remedy(True, "Paused", "a concert"))
    assert condition(room_status({}, facts, NOW_S), "RemediationBlocked") == (
        "True",
        "Paused",
        "a concert",
    )


def test_the_same_facts_give_the_same_status() -> None:
    first = room_status({}, GOOD, NOW_S)
    assert room_status(first, GOOD, NOW_S + 3600) == first


def pool_facts(cluster: Cluster, **more: Any) -> PoolFacts:
    binding = cluster.bind()
    return PoolFacts(
        wanted=cluster.pool,
        plan=cluster.size(binding),
        crew=muster(cluster.pool, cluster.observed(binding), cluster.limits),
        generation=2,
        selector={"voiceroom.dev/pool": "p", "app.kubernetes.io/name": "voiceroom"},
        realtime=GRANTED,
        **more,
    )


def test_a_pool_as_it_should_be() -> None:
    cluster = Cluster(wanted())
    cluster.add(pod(0, headroom=0.83), pod(1, headroom=0.47))
    facts = pool_facts(
        cluster, rooms=3, participants=9, nodes=(NodeSeen("b", grade="C"), NodeSeen("a"))
    )
    status = pool_status({}, facts, NOW_S)
    assert status["pods"] == {"desired": 2, "ready": 2, "draining": 0}
    assert (status["rooms"], status["participants"], status["headroom"]) == (3, 9, 0.47)
    assert status["nodes"] == [{"name": "a"}, {"name": "b", "grade": "C"}]
    assert status["selector"] == "app.kubernetes.io/name=voiceroom,voiceroom.dev/pool=p"
    assert condition(status, "Ready")[:2] == ("True", "AsWanted")
    assert refused_by("mixerpools.yaml", status) == []
    assert pool_status(status, facts, NOW_S + 60) == status


def test_a_pool_that_starts_or_ends() -> None:
    cluster = Cluster(wanted())
    status = pool_status({}, pool_facts(cluster), NOW_S)
    assert condition(status, "Ready") == ("False", "WaitingForPod", "0 of 2 pods are in service")
    cluster = Cluster(wanted(deleting=True))
    cluster.add(pod(0))
    assert condition(pool_status({}, pool_facts(cluster), NOW_S), "Ready")[1] == "Drain"


def test_a_pool_that_the_cluster_refuses_says_so() -> None:
    facts = pool_facts(Cluster(wanted()), refusal=refusal("exceeded quota: q"))
    state, reason, message = condition(pool_status({}, facts, NOW_S), "Ready")
    assert (state, reason) == ("False", "PodRefused")
    assert "exceeded quota: q" in message
    assert "ResourceQuota" in message


def test_a_pool_at_its_limit_says_what_to_raise() -> None:
    cluster = Cluster(wanted(size_max=1))
    cluster.add(pod(0, occupied=True), bound("a", 0, dedicated=True), room("b", dedicated=True))
    state, reason, message = condition(pool_status({}, pool_facts(cluster), NOW_S), "Ready")
    assert (state, reason) == ("False", "NoCapacity")
    assert "spec.size.max" in message


def test_quarantine_is_shown_with_its_end() -> None:
    facts = pool_facts(Cluster(wanted()), nodes=(NodeSeen("a"),), quarantined_until_s={"a": NOW_S})
    status = pool_status({"budget": {"podsLeft": 1}}, facts, NOW_S)
    assert status["nodes"] == [{"name": "a", "quarantinedUntil": "2027-01-15T08:00:00Z"}]
    assert status["budget"] == {"podsLeft": 1}
    assert refused_by("mixerpools.yaml", status) == []
