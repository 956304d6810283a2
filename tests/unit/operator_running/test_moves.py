"""Rooms with people in change pods: intent, outcome, and the way back, in a town without mixers."""

from __future__ import annotations

import asyncio

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import NODES, PODS, ROOMS

TRUTH_S = 5.0


async def in_call(people: int = 3) -> tuple[Town, str]:
    """A room with people in, and its pod."""
    town = Town()
    town.start()
    town.room()
    await town.ready()
    pod = town.status()["podName"]
    town.mixer(pod).people["standup"] = people
    await asyncio.sleep(2)
    return town, pod


def cordon(town: Town, pod: str) -> None:
    node = town.pods()[pod]["spec"]["nodeName"]
    town.api.change(NODES, "", node, {"spec": {"unschedulable": True}})


def stuck(town: Town) -> None:
    """No mixer comes to an end with a move."""
    for mixer in town.mixers.by_address.values():
        mixer.moves = False


def last(town: Town) -> dict[str, object]:
    found: dict[str, object] = dict((town.status().get("moves") or {}).get("last") or {})
    return found


def test_people_on_a_cordoned_node_are_moved_and_the_outcome_is_recorded() -> None:
    async def scene() -> None:
        town, pod = await in_call()
        epoch = town.status()["epoch"]
        cordon(town, pod)
        await town.until(lambda: town.owners() not in ([], [pod]), TRUTH_S, "it has moved")
        await town.until(lambda: town.status()["podName"] != pod, TRUTH_S, "and that is recorded")
        status, new = town.status(), town.status()["podName"]
        assert status["epoch"] > epoch
        move = last(town)
        assert (move["from"], move["to"], move["reason"]) == (pod, new, names.DRAIN)
        assert (move["gapMs"], move["lostFrames"]) == (31, 0)
        assert {"startedAt", "switchedAt"} <= move.keys()
        assert (status["moves"]["count"], status["moves"]["history"]) == (1, [move])
        assert condition(status, names.MOVING)[0] == "False"
        assert {"Drain", "Moved"} <= town.reasons()
        await town.until(lambda: town.owners() == [new], TRUTH_S)
        await town.stop()

    run(scene())


def test_the_intent_stands_in_status_before_any_pod_hears_of_it() -> None:
    async def scene() -> None:
        town, pod = await in_call()
        stuck(town)
        cordon(town, pod)
        await town.until(lambda: town.phase() == names.MOVING, TRUTH_S)
        move = last(town)
        assert move["from"] == pod
        assert move["to"] != pod
        assert "switchedAt" not in move
        assert condition(town.status(), names.MOVING)[:2] == ("True", names.DRAIN)
        assert town.owners() == [pod], "the old pod goes on"
        roles = {room["role"] for room in town.mixer(str(move["to"])).rooms}
        assert roles == {"successor"}
        await town.stop()

    run(scene())


def test_a_move_that_comes_to_no_end_is_given_up_under_a_new_number() -> None:
    async def scene() -> None:
        town, pod = await in_call()
        stuck(town)
        cordon(town, pod)
        await town.until(lambda: town.phase() == names.MOVING, TRUTH_S)
        given = last(town)["epoch"]
        assert isinstance(given, int)
        node = town.pods()[pod]["spec"]["nodeName"]
        town.api.change(NODES, "", node, {"spec": {"unschedulable": False}})
        await town.until(lambda: town.phase() == names.READY, 40)
        assert "endedAt" in last(town)
        assert town.status()["moves"]["count"] == 0
        assert town.status()["podName"] == pod
        assert town.status()["epoch"] > given, "that number is nobody's"
        assert "MoveGivenUp" in town.reasons()
        await town.until(lambda: _epoch(town, pod) == town.status()["epoch"], TRUTH_S)
        await town.stop()

    run(scene())


def _epoch(town: Town, pod: str) -> int:
    return int(next(room["epoch"] for room in town.mixer(pod).rooms if room["name"] == "standup"))


GONE = (
    {"phase": "Failed"},
    {
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": "mixer", "state": {"terminated": {"exitCode": 137}}}],
    },
)


@pytest.mark.parametrize("status", GONE, ids=["failed", "its container was killed"])
def test_a_successor_that_dies_is_replaced(status: dict[str, object]) -> None:
    async def scene() -> None:
        town, pod = await in_call()
        stuck(town)
        cordon(town, pod)
        await town.until(lambda: town.phase() == names.MOVING, TRUTH_S)
        first = last(town)
        body = town.pods()[str(first["to"])]
        town.api.change(PODS, NAMESPACE, body["metadata"]["name"], {"status": status})
        await town.until(lambda: last(town).get("id") != first["id"], TRUTH_S)
        assert town.owners() == [pod]
        assert "SuccessorLost" in town.reasons()
        (given_up,) = town.status()["moves"]["history"]
        assert "endedAt" in given_up
        await town.stop()

    run(scene())


@pytest.mark.parametrize("after_s", [0.1, 0.4, 0.8, 1.5, 3.0])
def test_an_operator_that_is_killed_in_a_move_changes_nothing(after_s: float) -> None:
    async def scene() -> None:
        town, pod = await in_call()
        cordon(town, pod)
        await asyncio.sleep(after_s)
        await town.kill()
        town.start("two")
        await town.until(
            lambda: town.phase() == names.READY and town.status()["podName"] != pod, 60
        )
        assert town.owners() == [town.status()["podName"]]
        assert town.status()["moves"]["count"] == 1
        await town.stop()

    run(scene())


@pytest.mark.parametrize("silent", [False, True])
def test_a_leader_that_begins_does_not_take_a_room_for_empty(silent: bool) -> None:
    async def scene() -> None:
        town, pod = await in_call()
        await town.kill()
        cordon(town, pod)
        town.mixer(pod).silent = silent
        town.start("two")
        await town.until(lambda: bool(last(town)), 60, "it is moved, not bound anew")
        assert last(town)["from"] == pod
        await town.stop()

    run(scene())


def test_a_leader_that_begins_says_nothing_else_of_rooms_than_the_one_before() -> None:
    async def scene() -> None:
        town, _ = await in_call(0)
        await asyncio.sleep(30)
        said = town.status()["conditions"]
        await town.kill()
        town.start("two")
        await asyncio.sleep(60)
        assert town.status()["conditions"] == said, "with the times of their transitions"
        await town.stop()

    run(scene())


def test_another_pool_is_a_move() -> None:
    async def scene() -> None:
        town, pod = await in_call()
        town.pool("quick")
        await town.until(lambda: any("quick" in name for name in town.pods()), 10)
        await asyncio.sleep(5)
        town.api.change(ROOMS, NAMESPACE, "standup", {"spec": {"poolName": "quick"}})
        await town.until(lambda: "quick" in town.status()["podName"], 10)
        assert last(town)["reason"] == names.SPEC_CHANGED
        assert last(town)["from"] == pod
        await town.stop()

    run(scene())
