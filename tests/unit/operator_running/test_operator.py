"""A whole operator, in virtual time: what people see of it."""

import asyncio
import base64
import re
from pathlib import Path

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import POOLS, ROOMS, SECRETS
from voiceroom_operator.round.saying import REASONS


def test_a_room_that_is_applied_becomes_ready_in_a_pool_that_is_made_for_it() -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.room()
        await town.ready()
        status = town.status()
        assert status["podName"] in town.pods()
        assert town.owners() == [status["podName"]]
        assert condition(status, names.READY)[0] == "True"
        assert status["endpoint"]["url"] == "http://voiceroom-default.voice.svc/rooms/standup"
        pool = town.api.bodies(POOLS, NAMESPACE)["default"]
        assert pool["metadata"]["labels"] == {names.AUTO_LABEL: "true"}
        assert pool["metadata"]["finalizers"] == [names.POOL_FINALIZER]
        twin = status["twinPodName"]
        assert town.mixer(twin).twinned() == {"standup"}
        assert "finalizers" not in town.api.bodies(ROOMS, NAMESPACE)["standup"]["metadata"]
        assert {"PoolMade", "PodCreated", "Bound"} <= town.reasons()
        await town.stop()

    run(scene())


def test_nothing_is_written_while_nothing_happens() -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.room()
        await town.ready()
        await asyncio.sleep(90)
        before = town.api.writes()
        await asyncio.sleep(600)
        assert town.api.writes() == before
        await town.stop()

    run(scene())


def test_figures_that_tremble_are_not_written_and_those_that_leap_are() -> None:
    async def scene() -> None:
        town = Town()
        town.pool(remediation={"mode": "Off"})
        town.start()
        town.room()
        await town.ready()
        mixer = town.mixer(town.status()["podName"])
        await asyncio.sleep(60)
        before = town.api.writes()
        for n in range(300):
            mixer.timing = {"p99Ms": 0.2 + 0.1 * (n % 6), "verdict": None}
            mixer.headroom = 0.93 + 0.01 * (n % 5)
            await asyncio.sleep(1)
        assert town.api.writes() == before
        mixer.timing = {"p99Ms": 4.8, "verdict": None}
        await asyncio.sleep(30)
        assert town.status()["timing"]["p99Ms"] < 1, "nobody is there to hear it"
        mixer.people["standup"] = 1
        await town.until(lambda: town.status()["timing"]["p99Ms"] == 4.8, 12)
        for n in range(60):
            told = f"the rate is {n} ppm off"
            mixer.timing = {"p99Ms": 4.8, "verdict": "rate", "since": 9, "message": told}
            await asyncio.sleep(1)
        assert condition(town.status(), names.TIMING_HEALTHY)[0] == "False"
        assert town.phase() == names.DEGRADED
        assert town.api.writes() - before <= 6
        await town.stop()

    run(scene())


def test_a_pin_that_is_not_there_is_said_and_taken_up_when_it_comes() -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.room(access={"pinSecretRef": {"name": "pins", "key": "standup"}})
        await town.ready()
        mixer = town.mixer(town.status()["podName"])
        assert "PinMissing" in town.reasons()
        assert "pinHash" not in mixer.rooms[0]
        pin = base64.b64encode(b"4711").decode()
        town.api.put(SECRETS, NAMESPACE, "pins", data={"standup": pin})
        await town.until(lambda: "pinHash" in mixer.rooms[0], 120)
        await town.stop()

    run(scene())


def test_every_reason_of_an_event_is_in_the_docs() -> None:
    page = Path(__file__).parents[3] / "docs" / "operator.md"
    _, _, after = page.read_text().partition("## Events")
    listed, _, _ = after.partition("\n## ")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", listed, re.MULTILINE)
    assert dict(rows) == REASONS
