"""The operator needs every right that it is given (that it needs no other, ``Town`` sees to)."""

import asyncio

from fakes.looptime import run
from fakes.town import GRANTED, NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.kinds import NODES, POLICIES, POOLS, ROOMS, SECRETS, WATCHED

MONTH_S = 31 * 86_400
WATCHES = {(kind.group, kind.plural, "watch") for kind in WATCHED}
"""By the streams, which are kopf's."""
FETCHES = {(kind.group, kind.plural, "get") for kind in (ROOMS, POOLS, NODES)}
QUOTA = 'pods "voiceroom-default-0" is forbidden: exceeded quota: small'


def test_every_right_is_used() -> None:
    async def scene() -> None:
        town = Town()
        town.api.refuse_pods = QUOTA
        town.start(network_policy=True)
        town.room()
        # the same refusal is said again, and counted
        await town.until(
            lambda: ("", "events", "patch") in town.api.used, 1300, "an event is counted"
        )
        town.api.refuse_pods = ""
        await town.ready(within_s=40)
        assert list(town.api.bodies(POLICIES)) == ["voiceroom-default"]
        # keys are exchanged
        before = town.api.bodies(SECRETS)["voiceroom-default"]["data"]
        town.clock.step_s = MONTH_S
        await town.until(
            lambda: town.api.bodies(SECRETS)["voiceroom-default"]["data"] != before, 120
        )
        # a node is drained
        node = town.pods()[town.status()["podName"]]["spec"]["nodeName"]
        town.api.change(NODES, "", node, {"spec": {"unschedulable": True}})
        await town.until(lambda: ("", "pods", "delete") in town.api.used, 60, "a pod ends")
        # a pod's own quota throttles it
        allowed = {"spec": {"remediation": {"cpuLimitPercent": 200}}}
        town.api.change(POOLS, NAMESPACE, "default", allowed)
        town.mixer(town.status()["podName"]).starve(1.5)
        await town.until(lambda: ("", "pods/resize", "patch") in town.api.used, 60, "is raised")
        # a stream says nothing
        town.streams[-1].deaf = True
        note = {"metadata": {"annotations": {"a": "b"}}}
        town.api.change(ROOMS, NAMESPACE, "standup", note)
        town.api.change(POOLS, NAMESPACE, "default", note)
        town.api.change(NODES, "", node, note)
        await town.until(lambda: town.api.used >= FETCHES, 30, "what was missed is fetched")
        # the switch is taken back
        await town.stop()
        town.start()
        await town.until(lambda: not town.api.bodies(POLICIES), 30, "the policy goes")
        town.api.remove(POOLS, NAMESPACE, "default")
        await town.until(lambda: not town.api.bodies(POOLS), 90, "the pool ends")
        await asyncio.sleep(5)
        assert condition(town.status(), names.READY)[1] == names.POOL_NOT_FOUND
        await town.stop()
        assert town.api.used | WATCHES == GRANTED

    run(scene())
