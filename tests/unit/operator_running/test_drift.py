"""Bad timers under a whole operator, in virtual time."""

import asyncio
from typing import Any

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.cluster.kinds import LEASES, NODES, PODS, ROOMS, Kind

SEEN_S = 10.0
"""What is promised from the fault to the room elsewhere."""


async def settled(*rooms: str, **pool: Any) -> Town:
    """Rooms in two pods on two nodes, or as ``pool`` says, that have kept time for a while."""
    town = Town()
    town.pool(**pool)
    town.start()
    for room in rooms or ("standup",):
        town.room(room)
    await town.ready(*(rooms or ("standup",)))
    await asyncio.sleep(15)
    return town


def budget(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = town.pool_status().get("budget", {})
    return found


def quarantined(town: Town) -> set[str]:
    nodes = town.pool_status().get("nodes", [])
    return {node["name"] for node in nodes if "quarantinedUntil" in node}


def stall_node(town: Town, node: str, verdict: str = "starved") -> None:
    for pod in town.on(node):
        town.mixer(pod).stall(verdict)


def test_a_bad_node_is_left_and_gets_nothing_until_it_has_kept_time() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        pod = town.status()["podName"]
        node = town.node_of(pod)
        stall_node(town, node)
        await town.until(lambda: town.status()["nodeName"] != node, SEEN_S, "the room elsewhere")
        await town.until(lambda: not town.on(node), 30, "the node is empty")
        assert quarantined(town) == {node}
        await town.until(lambda: town.pool_status()["pods"]["ready"] == 4, 30, "replaced")
        assert not town.on(node)
        assert names.DRIFT in town.reasons()
        assert "DriftOfNode" in town.reasons()
        await town.until(lambda: not quarantined(town), 400, "trusted again")
        assert "NodeReleased" in town.reasons()
        await town.stop()

    run(scene())


@pytest.mark.parametrize("verdict", ["gc", "gil", "loop-block"])
def test_a_bad_pod_is_left_and_replaced_and_the_node_is_not_blamed(verdict: str) -> None:
    async def scene() -> None:
        town = await settled("a", "b", size={"min": 4, "spare": 0})
        pod = town.status("a")["podName"]
        other = town.status("b")["podName"]
        town.mixer(pod).stall(verdict)
        await town.until(lambda: town.status("a")["podName"] != pod, SEEN_S, "elsewhere")
        await town.until(lambda: pod not in town.pods(), 30, "ended")
        await town.until(lambda: town.pool_status()["pods"]["ready"] == 4, 30, "replaced")
        assert quarantined(town) == set()
        assert budget(town)["podsLeft"] == 2
        if other != pod:
            assert town.status("b")["podName"] == other
        await town.stop()

    run(scene())


def test_a_pod_that_does_not_answer_counts_as_bad() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        pod = town.status()["podName"]
        town.mixer(pod).silent = True
        await town.until(lambda: town.status()["podName"] != pod, SEEN_S, "elsewhere")
        (entry,) = budget(town)["evacuations"]
        assert (entry["what"], entry["cause"]) == ("Pod", "NoAnswer")
        await town.stop()

    run(scene())


def test_two_silent_pods_of_a_node_are_the_nodes_fault() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        node = town.status()["nodeName"]
        for pod in town.on(node):
            town.mixer(pod).silent = True
        await town.until(lambda: town.status()["nodeName"] != node, SEEN_S, "elsewhere")
        assert quarantined(town) == {node}
        await town.stop()

    run(scene())


def test_a_short_stall_moves_nothing() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        pod = town.status()["podName"]
        for _ in range(5):
            town.mixer(pod).stall()
            await asyncio.sleep(0.9)
            town.mixer(pod).recover()
            await asyncio.sleep(6)
        assert town.status()["podName"] == pod
        assert budget(town)["evacuations"] == []
        await town.stop()

    run(scene())


def test_when_everything_is_bad_nobody_moves() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        pod = town.status()["podName"]
        for node in town.kubelet.nodes:
            stall_node(town, node)
        await asyncio.sleep(60)
        assert town.status()["podName"] == pod
        assert budget(town)["evacuations"] == []
        assert condition(town.pool_status(), names.REMEDIATION_BLOCKED)[1] == names.STORM_ACTIVE
        assert condition(town.status(), names.TIMING_HEALTHY)[:2] == ("False", "Starved")
        await town.stop()

    run(scene())


def test_the_only_node_is_never_left() -> None:
    async def scene() -> None:
        town = Town()
        town.kubelet.nodes = ["node-0"]
        town.api.remove(NODES, "", "node-1")
        town.pool()
        town.start()
        town.room()
        await town.ready()
        await asyncio.sleep(15)
        pod = town.status()["podName"]
        stall_node(town, "node-0")
        await asyncio.sleep(30)
        assert town.status()["podName"] == pod
        blocked = condition(town.pool_status(), names.REMEDIATION_BLOCKED)
        assert blocked[:2] == ("True", names.NO_CANDIDATE_NODE)
        await town.stop()

    run(scene())


def test_a_dry_run_decides_the_same_and_moves_nothing() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0}, remediation={"mode": "DryRun"})
        pod = town.status()["podName"]
        pods = set(town.pods())
        stall_node(town, town.node_of(pod))
        await asyncio.sleep(60)
        assert town.status()["podName"] == pod
        assert set(town.pods()) == pods
        assert quarantined(town) == set()
        (entry,) = budget(town)["evacuations"]
        assert (entry["what"], entry["dryRun"]) == ("Node", True)
        assert "DriftDryRun" in town.reasons()
        metrics = town.operators[0][0]._meters.exposition().decode()
        assert 'remediations_total{result="dry_run",what="Node"} 1.0' in metrics
        assert 'remediations_total{result="dry_run",what="Room"} 1.0' in metrics
        assert 'remediations_total{result="enforced",what="Room"} 0.0' in metrics
        await town.stop()

    run(scene())


def test_switched_off_nothing_is_decided() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0}, remediation={"mode": "Off"})
        pod = town.status()["podName"]
        stall_node(town, town.node_of(pod))
        await asyncio.sleep(30)
        assert town.status()["podName"] == pod
        assert budget(town)["evacuations"] == []
        await town.stop()

    run(scene())


def test_a_paused_room_stays_in_its_pod_and_says_why() -> None:
    async def scene() -> None:
        town = await settled("a", "b", size={"min": 1, "spare": 3})
        town.api.change(
            ROOMS,
            NAMESPACE,
            "a",
            {"spec": {"remediation": {"paused": {"reason": "a concert"}}}},
        )
        pod = town.status("a")["podName"]
        assert town.status("b")["podName"] == pod
        town.mixer(pod).stall("gc")
        await asyncio.sleep(120)
        assert town.status("a")["podName"] == pod
        assert town.phase("a") == names.DEGRADED
        assert "concert" in condition(town.status("a"), names.REMEDIATION_BLOCKED)[2]
        assert town.status("b")["podName"] != pod
        await town.stop()

    run(scene())


def test_pods_that_flap_are_left_three_times_an_hour_and_no_more() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        for _ in range(8):
            town.mixer(town.status()["podName"]).stall("gc")
            await asyncio.sleep(45)
        left = [entry["name"] for entry in budget(town)["evacuations"]]
        assert len(left) == 3
        assert budget(town)["podsLeft"] == 0
        blocked = condition(town.pool_status(), names.REMEDIATION_BLOCKED)
        assert blocked[:2] == ("True", names.BUDGET_EXHAUSTED)
        await town.stop()

    run(scene())


def dies_after(town: Town, writes: int) -> None:
    """The operator is dead after so many more writes; the last one was made."""
    made = 0

    def after(verb: str, kind: Kind, name: str) -> None:
        nonlocal made
        made += kind is not LEASES
        if made == writes:
            town.api.before = _away
            raise ApiError(0, "Unreachable", "the process is dead")

    town.api.after = after


def _away(verb: str, kind: Kind, name: str) -> None:
    raise ApiError(0, "Unreachable", "no route to host")


@pytest.mark.parametrize("step", range(1, 13))
def test_an_operator_that_is_killed_in_the_middle_forgets_nothing(step: int) -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        pod = town.status()["podName"]
        town.mixer(pod).stall("gc")
        dies_after(town, step)
        await asyncio.sleep(8)
        await town.kill()
        town.api.before = town.api.after = lambda *_: None
        town.start()
        await town.until(lambda: town.status()["podName"] != pod, 30, "elsewhere")
        await asyncio.sleep(60)
        (entry,) = budget(town)["evacuations"]
        assert (entry["what"], entry["name"]) == ("Pod", pod)
        assert budget(town)["podsLeft"] == 2
        assert pod not in town.pods()
        assert town.owners() == [town.status()["podName"]]
        assert town.pool_status()["pods"]["ready"] == 4
        await town.stop()

    run(scene())


def test_a_new_operator_keeps_the_quarantine() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        node = town.status()["nodeName"]
        stall_node(town, node)
        await town.until(lambda: not town.on(node), 40, "left")
        await town.kill()
        town.start()
        await asyncio.sleep(120)
        assert quarantined(town) == {node}
        assert not town.on(node)
        await town.stop()

    run(scene())


def test_nothing_is_written_while_all_keep_time() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        await asyncio.sleep(90)
        before = town.api.writes()
        await asyncio.sleep(600)
        assert town.api.writes() == before
        await town.stop()

    run(scene())


def taints(town: Town, node: str) -> list[str]:
    spec = town.api.bodies(NODES)[node]["spec"]
    return [taint["key"] for taint in spec.get("taints") or ()]


def test_a_node_is_tainted_where_the_pool_asks_and_the_operator_may() -> None:
    async def scene() -> None:
        town = Town()
        town.pool(size={"min": 4, "spare": 0}, remediation={"quarantine": "Taint"})
        town.start(taint_nodes=True)
        town.room()
        await town.ready()
        await asyncio.sleep(15)
        node = town.status()["nodeName"]
        stall_node(town, node)
        await town.until(lambda: taints(town, node) == [names.TIMING_TAINT], 10, "tainted")
        await town.kill()
        town.start("two", taint_nodes=True)
        await asyncio.sleep(60)
        assert taints(town, node) == [names.TIMING_TAINT]
        await town.until(lambda: not taints(town, node), 400, "released")
        await town.stop()

    run(scene())


def test_without_the_right_nodes_are_avoided_by_affinity_and_it_is_said() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0}, remediation={"quarantine": "Taint"})
        node = town.status()["nodeName"]
        stall_node(town, node)
        await town.until(lambda: not town.on(node), 40, "left")
        assert taints(town, node) == []
        assert "TaintNotAllowed" in town.reasons()
        await town.stop()

    run(scene())


def waiting(town: Town, pod: str, *, ready: bool) -> None:
    """Its container does not run: an image is pulled, or it has crashed."""
    state = {"waiting": {"reason": "ContainerCreating"}}
    status = {
        "containerStatuses": [{"name": "mixer", "state": state}],
        "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
    }
    town.mixer(pod).silent = True
    town.api.change(PODS, NAMESPACE, pod, {"status": status})


def test_a_pod_on_its_way_is_left_to_its_kubelet_however_long_that_takes() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        idle = next(pod for pod in town.pods() if pod != town.status()["podName"])
        town.api.remove(PODS, NAMESPACE, idle)
        await asyncio.sleep(2.2)
        new = max(town.pods(), key=lambda pod: str(town.pods()[pod]["metadata"]["uid"]))
        waiting(town, new, ready=False)
        await asyncio.sleep(120)
        assert new in town.pods()
        assert budget(town)["evacuations"] == []
        assert condition(town.pool_status(), names.REMEDIATION_BLOCKED)[0] == "False"
        await town.stop()

    run(scene())


def test_a_container_that_is_started_again_is_not_blamed_for_its_silence() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        pod = town.status()["podName"]
        waiting(town, pod, ready=True)
        await asyncio.sleep(8)
        assert budget(town)["evacuations"] == []
        assert pod in town.pods()
        await town.stop()

    run(scene())


def test_pods_that_end_together_are_no_fault_of_their_node() -> None:
    async def scene() -> None:
        town = await settled(size={"min": 4, "spare": 0})
        node = next(node for node in town.kubelet.nodes if node != town.status()["nodeName"])
        town.kubelet.patient = True
        for pod in town.on(node):
            town.mixer(pod).silent = True
            ended_at = {"deletionTimestamp": "2027-01-15T08:00:00Z"}
            town.api.change(PODS, NAMESPACE, pod, {"metadata": ended_at})
        await asyncio.sleep(30)
        assert budget(town)["evacuations"] == []
        assert quarantined(town) == set()
        await town.kill()

    run(scene())
