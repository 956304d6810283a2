"""A whole operator, in virtual time: what people see of it."""

import asyncio

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import POOLS, ROOMS


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
