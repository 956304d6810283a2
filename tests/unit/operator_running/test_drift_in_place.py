"""A pod that its own quota throttles, under a whole operator, in virtual time."""

import asyncio
from typing import Any

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.cluster.kinds import LEASES, PODS, Kind

RAISED_S = 10.0
BURSTABLE = {"limits": {"cpu": "700m", "memory": "256Mi"}, "requests": {"cpu": "300m"}}


async def settled(**pool: Any) -> Town:
    """A room in a pool of four pods on two nodes, whose pods may be given twice their CPU."""
    remediation = {"cpuLimitPercent": 200} | pool.pop("remediation", {})
    town = Town()
    town.pool(**({"size": {"min": 4, "spare": 0}, "remediation": remediation} | pool))
    town.start()
    town.room()
    await town.ready()
    await asyncio.sleep(15)
    return town


def cpu(town: Town, pod: str) -> tuple[str, str]:
    """Limit and request."""
    found = town.pods()[pod]["spec"]["containers"][0]["resources"]
    return found["limits"]["cpu"], found["requests"]["cpu"]


def raises(town: Town) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.pool_status().get("budget", {}).get("raises", [])
    return found


def ended(town: Town) -> bool:
    return any("outcome" in entry for entry in raises(town))


@pytest.mark.parametrize(
    ("resources", "after"),
    [(BURSTABLE, ("1400m", "300m")), ({"limits": {"cpu": "1"}}, ("2000m", "2000m"))],
)
def test_its_limit_is_raised_where_it_is(resources: Any, after: tuple[str, str]) -> None:
    async def scene() -> None:
        town = await settled(resources=resources)
        pod = town.status()["podName"]
        town.mixer(pod).starve(1.2)
        await town.until(lambda: cpu(town, pod)[0] == after[0], RAISED_S, "raised")
        await town.until(lambda: ended(town), RAISED_S, "read back")
        await asyncio.sleep(60)
        assert cpu(town, pod) == after
        (entry,) = raises(town)
        assert (entry["pod"], entry["to"], entry["outcome"]) == (pod, after[0], "Set")
        assert town.status()["podName"] == pod
        assert town.pool_status()["budget"]["evacuations"] == []
        assert {"CpuLimitRaised", "CpuLimitSet"} <= town.reasons()
        assert condition(town.status(), names.TIMING_HEALTHY)[0] == "True"
        await town.stop()

    run(scene())


@pytest.mark.parametrize("pending", ["Deferred", "Infeasible"])
def test_where_the_node_has_no_more_its_rooms_move(pending: str) -> None:
    async def scene() -> None:
        town = await settled(resources=BURSTABLE)
        town.kubelet.pending = pending
        pod = town.status()["podName"]
        town.mixer(pod).starve(1.2)
        await town.until(lambda: town.status()["podName"] != pod, 15, "elsewhere")
        assert [entry["outcome"] for entry in raises(town)] == [pending]
        assert {"CpuLimitNotSet", "DriftOfPod"} <= town.reasons()
        await town.stop()

    run(scene())


@pytest.mark.parametrize(("status", "reason"), [(403, "Forbidden"), (404, "NotFound")])
def test_where_it_may_not_be_asked_for_its_rooms_move(status: int, reason: str) -> None:
    """No right to it, a quota of the namespace, or a cluster that does not know it."""

    async def scene() -> None:
        town = await settled(resources=BURSTABLE)
        pod = town.status()["podName"]

        def refuse(verb: str, kind: Kind, name: str) -> None:
            if (verb, kind, name) == ("patch", PODS, pod) and town.api.subresource == "resize":
                raise ApiError(status, reason, "no")

        town.api.before = refuse
        town.mixer(pod).starve(1.2)
        await town.until(lambda: town.status()["podName"] != pod, 15, "elsewhere")
        assert [entry["outcome"] for entry in raises(town)] == ["Refused"]
        await town.stop()

    run(scene())


def test_a_kubelet_that_does_nothing_is_not_waited_for_long() -> None:
    async def scene() -> None:
        town = await settled(resources=BURSTABLE)
        town.kubelet.resizes = False
        pod = town.status()["podName"]
        town.mixer(pod).starve(1.2)
        await town.until(lambda: town.status()["podName"] != pod, 30, "elsewhere")
        assert [entry["outcome"] for entry in raises(town)] == ["NotSet"]
        await town.stop()

    run(scene())


def test_while_it_is_under_way_the_condition_says_so() -> None:
    async def scene() -> None:
        town = await settled(resources=BURSTABLE)
        town.kubelet.resizes = False
        pod = town.status()["podName"]
        town.mixer(pod).starve(1.2)
        await town.until(lambda: bool(raises(town)), RAISED_S, "on record")
        await asyncio.sleep(3)
        for status in (town.status(), town.pool_status()):
            is_true, reason, message = condition(status, names.TIMING_HEALTHY)
            assert (is_true, reason) == ("False", "Throttle")
            assert "is being raised in place to 1.4 CPU" in message
        await town.stop()

    run(scene())


def test_a_dry_run_changes_nothing() -> None:
    async def scene() -> None:
        town = await settled(resources=BURSTABLE, remediation={"mode": "DryRun"})
        pod = town.status()["podName"]
        town.mixer(pod).starve(1.2)
        await town.until(lambda: bool(raises(town)), RAISED_S, "on record")
        await asyncio.sleep(5)
        assert "DriftDryRun" in town.reasons()
        assert cpu(town, pod) == ("700m", "300m")
        assert raises(town)[0]["dryRun"] is True
        await town.stop()

    run(scene())


def test_an_operator_that_starts_anew_asks_for_what_is_on_record() -> None:
    async def scene() -> None:
        town = await settled(resources=BURSTABLE)
        pod = town.status()["podName"]
        killed = False

        def die(verb: str, kind: Kind, name: str) -> None:
            nonlocal killed
            if (verb, kind, name) == ("patch", PODS, pod) and town.api.subresource == "resize":
                killed = True
                raise ApiError(0, "Unreachable", "the process is dying")

        town.api.before = die
        town.mixer(pod).starve(1.2)
        await town.until(lambda: killed, RAISED_S, "about to ask")
        await town.kill()
        town.api.before = lambda *_: None
        town.api.vanish(LEASES, "system", "voiceroom-operator")  # it need not wait for its end
        town.start("two")
        await town.until(lambda: cpu(town, pod)[0] == "1400m", 30, "raised")
        await town.stop()

    run(scene())


def test_a_bound_of_a_hundred_percent_raises_nothing() -> None:
    async def scene() -> None:
        town = await settled(resources=BURSTABLE, remediation={"cpuLimitPercent": 100})
        pod = town.status()["podName"]
        town.mixer(pod).starve(1.2)
        await town.until(lambda: town.status()["podName"] != pod, 10, "elsewhere")
        assert raises(town) == []
        assert town.api.bodies(PODS, NAMESPACE)
        await town.stop()

    run(scene())
