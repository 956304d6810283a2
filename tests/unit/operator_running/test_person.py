"""A person moves a room."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import POOLS, ROOMS
from voiceroom_operator.limits import Limits


async def settled(limits: Limits | None = None, **pool: Any) -> Town:
    town = Town(limits)
    town.pool(**({"size": {"min": 4, "spare": 0}} | pool))
    town.start()
    town.room()
    await town.ready()
    return town


def ask(town: Town, **said: str) -> None:
    text = json.dumps({"id": "one", "why": "a test"} | said)
    patch = {"metadata": {"annotations": {names.MOVE_ANNOTATION: text}}}
    town.api.change(ROOMS, NAMESPACE, "standup", patch)


def answer(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = (town.status().get("moves") or {}).get("request") or {}
    return found


async def answered(town: Town, state: str) -> dict[str, Any]:
    await town.until(lambda: answer(town).get("state") == state, 10, state)
    return answer(town)


def test_a_room_goes_to_another_node_once_for_each_id() -> None:
    async def scene() -> None:
        town = await settled()
        node = town.status()["nodeName"]
        ask(town)
        done = await answered(town, "Done")
        await asyncio.sleep(2)
        assert done["id"] == "one"
        assert done["at"] > "2000", "when it was answered"
        assert town.status()["podName"] == done["to"]
        assert town.status()["nodeName"] != node
        assert names.REQUESTED in town.reasons()
        await asyncio.sleep(120)
        assert town.status()["podName"] == done["to"]
        await town.kill()
        town.start("two")
        await asyncio.sleep(60)
        assert town.status()["podName"] == done["to"]
        ask(town, id="two")
        await town.until(lambda: answer(town)["id"] == "two", 10, "again")
        await town.stop()

    run(scene())


def test_to_a_node_of_ones_choice() -> None:
    async def scene() -> None:
        town = await settled()
        here = town.status()["nodeName"]
        there = next(node for node in town.kubelet.nodes if node != here)
        ask(town, to=there)
        await answered(town, "Done")
        await asyncio.sleep(2)
        assert town.status()["nodeName"] == there
        await town.stop()

    run(scene())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"to": "HERE"}, "already"),
        ({"to": "node-9"}, "no pod of MixerPool default is in service on node node-9"),
        ({"to": "?"}, "name of a node"),
        ({"why": ""}, "why must be"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(said: dict[str, str], words: str) -> None:
    async def scene() -> None:
        town = await settled()
        before = town.status()["podName"]
        here = town.status()["nodeName"]
        ask(town, **{key: here if value == "HERE" else value for key, value in said.items()})
        refused = await answered(town, "Refused")
        assert words in refused["message"]
        assert town.status()["podName"] == before
        await asyncio.sleep(1)
        assert "MoveRefused" in town.reasons()
        writes = town.api.writes()
        await asyncio.sleep(120)
        assert town.api.writes() == writes
        await town.stop()

    run(scene())


def test_where_there_is_no_other_pod_it_waits_for_one() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 1, "max": 1, "spare": 0})
        ask(town)
        waiting = await answered(town, "Waiting")
        assert "no other pod" in waiting["message"]
        town.api.change(
            POOLS, NAMESPACE, "default", {"spec": {"size": {"min": 1, "max": 2, "spare": 0}}}
        )
        await town.until(lambda: answer(town)["state"] == "Done", 20, "another pod")
        await town.stop()

    run(scene())


def test_people_in_a_room_that_cannot_be_handed_over_stay() -> None:
    async def scene() -> None:
        town = await settled(Limits())
        pod = town.status()["podName"]
        town.mixer(pod).people["standup"] = 3
        await asyncio.sleep(2)
        ask(town)
        waiting = await answered(town, "Waiting")
        assert "3 are in" in waiting["message"]
        town.mixer(pod).people.clear()
        await answered(town, "Done")
        await town.stop()

    run(scene())


def test_guard_rails_do_not_bind_a_person() -> None:
    async def scene() -> None:
        town = await settled(remediation={"mode": "Off"})
        pod = town.status()["podName"]
        town.api.change(
            ROOMS,
            NAMESPACE,
            "standup",
            {"spec": {"remediation": {"paused": {"reason": "a concert"}}}},
        )
        ask(town)
        await answered(town, "Done")
        assert town.status()["podName"] != pod
        await town.stop()

    run(scene())


def test_a_node_that_does_not_keep_time_is_refused() -> None:
    async def scene() -> None:
        town = await settled()
        await asyncio.sleep(15)
        bad = town.status()["nodeName"]
        for pod in town.on(bad):
            town.mixer(pod).stall("starved")
        await town.until(lambda: town.status()["nodeName"] != bad, 10, "elsewhere")
        ask(town, to=bad)
        refused = await answered(town, "Refused")
        assert "does not keep time" in refused["message"]
        await town.stop()

    run(scene())


def test_people_in_a_room_move_with_it() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        town.mixer(pod).people["standup"] = 3
        await asyncio.sleep(2)
        ask(town)
        await answered(town, "Done")
        assert town.status()["podName"] != pod
        assert town.status()["moves"]["last"]["reason"] == names.REQUESTED
        await town.stop()

    run(scene())
