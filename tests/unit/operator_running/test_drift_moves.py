"""Bad timers under rooms with people in: they are moved, not cut."""

import asyncio
import json

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import ROOMS


async def settled() -> Town:
    town = Town()
    town.pool(size={"min": 4, "spare": 0})
    town.start()
    town.room()
    await town.ready()
    town.mixer(town.status()["podName"]).people["standup"] = 3
    await asyncio.sleep(15)
    return town


def people_follow(town: Town) -> None:
    """As clients do, to the pod that has the room now."""
    town.mixer(town.status()["podName"]).people["standup"] = 3


def test_people_are_moved_off_a_bad_node_and_then_left_alone_for_the_cooldown() -> None:
    async def scene() -> None:
        town = await settled()
        node = town.status()["nodeName"]
        for pod in town.on(node):
            town.mixer(pod).stall("starved")
        await town.until(lambda: town.status()["nodeName"] != node, 10, "moved")
        people_follow(town)
        moves = town.status()["moves"]
        await asyncio.sleep(3)
        assert moves["last"]["reason"] == names.DRIFT
        assert moves["drift"]["inARow"] == 1
        here = town.status()["podName"]
        town.mixer(here).stall("gc")
        await asyncio.sleep(30)
        assert town.status()["podName"] == here
        blocked = condition(town.status(), names.REMEDIATION_BLOCKED)
        assert blocked[:2] == ("True", names.COOLDOWN_ACTIVE)
        await town.until(lambda: town.status()["podName"] != here, 60, "after the cooldown")
        assert town.status()["moves"]["drift"]["inARow"] == 2
        await town.stop()

    run(scene())


def test_a_person_moves_people() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        said = json.dumps({"id": "one", "why": "a test"})
        patch = {"metadata": {"annotations": {names.MOVE_ANNOTATION: said}}}
        town.api.change(ROOMS, NAMESPACE, "standup", patch)
        await town.until(
            lambda: town.status().get("moves", {}).get("request", {}).get("state") == "Done", 10
        )
        moves = town.status()["moves"]
        assert town.status()["podName"] == moves["request"]["to"] != pod
        assert (moves["last"]["reason"], moves["count"]) == (names.REQUESTED, 1)
        await town.stop()

    run(scene())
