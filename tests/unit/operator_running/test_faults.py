"""Faults: what can live lives, the status tells the truth, nothing is left over."""

import asyncio
import random
from collections.abc import Callable

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.admin.client import Reply
from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.cluster.kinds import (
    BUDGETS,
    LEASES,
    NODES,
    PODS,
    POOLS,
    ROOMS,
    SECRETS,
    SERVICES,
    Kind,
)
from voiceroom_operator.limits import Limits

TRUTH_S = 5.0
QUOTA = 'pods "voiceroom-default-0" is forbidden: exceeded quota: small, requested: cpu=1'


def away(verb: str, kind: Kind, name: str) -> None:
    raise ApiError(0, "Unreachable", "no route to host")


async def settled(*rooms: str, limits: Limits | None = None) -> Town:
    """One operator, and rooms that are Ready."""
    town = Town(limits)
    town.start()
    for room in rooms or ("standup",):
        town.room(room)
    await town.ready(*(rooms or ("standup",)))
    return town


def is_sound(town: Town, rooms: int, *ordinals: int) -> None:
    """Each room has one owner, the one on record; each pool one of everything."""
    assert len(town.api.bodies(ROOMS, NAMESPACE)) == rooms
    for room in town.api.bodies(ROOMS, NAMESPACE):
        assert town.owners(room) == [town.status(room)["podName"]]
    assert sorted(town.pods()) == [f"voiceroom-default-{n}" for n in ordinals or (0, 1)]
    assert sorted(town.api.bodies(SECRETS)) == ["voiceroom-default", "voiceroom-default-ca"]
    assert list(town.api.bodies(SERVICES)) == list(town.api.bodies(BUDGETS))


def dies_at(town: Town, step: int) -> Callable[[], bool]:
    """The operator dies right after its ``step``th write, whose answer it does not see."""
    made = 0

    def after(verb: str, kind: Kind, name: str) -> None:
        nonlocal made
        made += kind is not LEASES
        if made == step:
            town.api.before = away
            raise ApiError(0, "Unreachable", "the process is dead")

    town.api.after = after
    return lambda: made >= step


@pytest.mark.parametrize("step", range(1, 26))
def test_an_operator_that_is_killed_after_any_write_leaves_nothing_half_done(step: int) -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.room("a")
        town.room("b")
        dead = dies_at(town, step)
        for _ in range(200):
            await asyncio.sleep(0.1)
            if dead():
                break
        await town.kill()
        town.api.before = town.api.after = lambda *_: None
        town.start()
        await town.ready("a", "b")
        await asyncio.sleep(20)
        is_sound(town, rooms=2)
        await town.stop()

    run(scene())


def test_rooms_go_on_while_the_api_server_is_away_for_a_minute() -> None:
    async def scene() -> None:
        town = await settled()
        before = town.owners()
        told = town.mixer(before[0]).told
        town.api.before = away
        for _ in range(60):
            await asyncio.sleep(1)
            assert town.owners() == before
            assert town.operators[0][0].pulse.complaint() == ""
        town.api.before = lambda *_: None
        town.room("late")
        await town.ready("late", within_s=30)
        assert town.owners() == before
        assert town.mixer(before[0]).told <= told + 2
        is_sound(town, rooms=2)
        await town.stop()

    run(scene())


def test_the_second_of_two_operators_takes_over_when_the_first_dies() -> None:
    async def scene() -> None:
        town = await settled()
        first = town.operators[0][0]
        second = town.start("two")
        await asyncio.sleep(30)
        assert first.lease.holds()
        assert not second.lease.holds()
        assert second.unready() == ""
        task = town.operators.pop(0)[2]
        first.lease._held_until_s = float("-inf")  # frozen: it renews and releases no more
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await town.until(second.lease.holds, 20, "leading")
        assert second.lease.term > first.lease.term
        town.room("late")
        await town.ready("late")
        is_sound(town, rooms=2)
        await town.stop()

    run(scene())


def test_an_operator_that_stops_hands_over_at_once() -> None:
    async def scene() -> None:
        town = await settled()
        second = town.start("two")
        await asyncio.sleep(5)
        _, stop, task = town.operators.pop(0)
        stop.set()
        await task
        assert await town.until(second.lease.holds, 20) < 4
        await town.stop()

    run(scene())


def test_only_the_holder_of_the_lease_writes() -> None:
    async def scene() -> None:
        town = await settled()
        town.start("two")
        await asyncio.sleep(60)
        before = town.api.writes()
        await asyncio.sleep(60)
        assert town.api.writes() == before
        assert town.streams[0].runs == 1
        assert len(town.streams) == 1
        await town.stop()

    run(scene())


def test_a_lease_that_somebody_deletes_does_not_begin_terms_anew() -> None:
    async def scene() -> None:
        town = await settled()
        before = town.operators[0][0].lease.term
        town.api.vanish(LEASES, "system", "voiceroom-operator")
        await asyncio.sleep(30)
        assert town.operators[0][0].lease.term >= before
        town.room("late")
        await town.ready("late")
        await town.stop()

    run(scene())


def test_a_leader_whose_term_pods_find_too_old_goes_above_it() -> None:
    async def scene() -> None:
        town = await settled()
        later = town.operators[0][0].lease.term + 7
        for mixer in town.mixers.by_address.values():
            mixer.term = later
        town.room("late")
        await town.ready("late", within_s=30)
        assert town.operators[0][0].lease.term > later
        await town.stop()

    run(scene())


def test_a_pod_that_is_deleted_by_hand_is_replaced_and_its_room_goes_on_elsewhere() -> None:
    async def scene() -> None:
        town = await settled()
        pod, epoch = town.status()["podName"], town.status()["epoch"]
        town.api.remove(PODS, NAMESPACE, pod)
        took_s = await town.until(lambda: town.status().get("podName") != pod, TRUTH_S)
        assert took_s < TRUTH_S
        await town.ready()
        assert town.status()["epoch"] > epoch
        await town.until(lambda: len(town.pods()) == 2 and pod not in town.pods(), 30)
        await asyncio.sleep(10)
        is_sound(town, 1, 1, 2)  # its successor came while it was still there
        await town.stop()

    run(scene())


def test_people_in_a_pod_that_is_deleted_by_hand_keep_it_as_long_as_it_lives() -> None:
    async def scene() -> None:
        town = await settled(limits=Limits())
        pod = town.status()["podName"]
        town.mixer(pod).people["standup"] = 3
        await asyncio.sleep(2)
        body = town.pods()[pod]
        town.api.change(PODS, NAMESPACE, pod, {"metadata": {"deletionTimestamp": "x"}})
        await town.until(lambda: town.phase() == names.DRAINING, TRUTH_S)
        assert body["metadata"]["labels"][names.OCCUPIED_LABEL] == "true"
        await town.until(lambda: town.phase() == names.READY, 10)
        await town.stop()

    run(scene())


def test_a_pool_that_is_deleted_with_people_in_ends_at_its_drain_deadline() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        town.mixer(pod).people["standup"] = 2
        await asyncio.sleep(2)
        town.api.remove(POOLS, NAMESPACE, "default")
        await asyncio.sleep(20)
        assert town.owners() == [pod]
        assert town.phase() == names.DRAINING
        await town.until(lambda: not town.pods(), 90, "pods end")
        await town.until(lambda: not town.api.bodies(POOLS), TRUTH_S, "the pool ends")
        await asyncio.sleep(TRUTH_S)
        assert condition(town.status(), names.READY)[:2] == ("False", names.POOL_NOT_FOUND)
        for kind in (SECRETS, SERVICES, BUDGETS):
            assert not town.api.bodies(kind)
        await asyncio.sleep(60)
        assert not town.api.bodies(POOLS)
        await town.stop()

    run(scene())


def test_a_room_that_is_applied_a_hundred_times_costs_few_writes() -> None:
    async def scene() -> None:
        town = await settled()
        mixer = town.mixer(town.status()["podName"])
        before, told = town.api.writes(), mixer.told
        for i in range(100):
            spec = {"audio": {"talkers": i % 16}}
            town.api.change(ROOMS, NAMESPACE, "standup", {"spec": spec})
            await asyncio.sleep(0.02)
        await asyncio.sleep(10)
        assert mixer.rooms[0]["spec"]["audio"]["talkers"] == 99 % 16
        assert town.api.writes() - before <= 100
        assert mixer.told - told <= 100
        assert town.status()["observedGeneration"] == 101
        is_sound(town, rooms=1)
        await town.stop()

    run(scene())


@pytest.mark.parametrize("status", [429, 500, 503, 504, 0])
def test_calls_that_fail_now_and_then_delay_and_break_nothing(status: int) -> None:
    async def scene() -> None:
        town = Town()
        luck = random.Random(status)

        def shaky(verb: str, kind: Kind, name: str) -> None:
            if luck.random() < 0.3 and kind is not LEASES:
                raise ApiError(status, "Injected", "not now", 1.0 if status == 429 else None)

        town.api.before = shaky
        town.start()
        town.room("a")
        town.room("b")
        await town.ready("a", "b", within_s=120)
        town.api.before = lambda *_: None
        await asyncio.sleep(40)
        is_sound(town, rooms=2)
        assert town.operators[0][0].pulse.complaint() == ""
        await town.stop()

    run(scene())


def test_a_stream_that_says_nothing_is_found_out_and_begun_again() -> None:
    async def scene() -> None:
        town = await settled()
        await asyncio.sleep(10)
        town.streams[0].deaf = True
        town.room("unheard")
        await town.ready("unheard", within_s=30)
        await town.until(lambda: town.streams[0].runs == 2, TRUTH_S)
        await town.stop()

    run(scene())


def test_what_a_broken_stream_missed_is_found_by_listing() -> None:
    async def scene() -> None:
        town = await settled("standup", "gone")
        pod = town.status("gone")["podName"]
        town.streams[0].deaf = True
        town.api.vanish(ROOMS, NAMESPACE, "gone")
        await town.until(lambda: "gone" not in town.mixer(pod).owned(), 2 * TRUTH_S)
        await town.stop()

    run(scene())


def test_streams_that_give_up_are_begun_again() -> None:
    async def scene() -> None:
        town = await settled()
        stream = town.streams[0]
        stream.fails = [RuntimeError("the watch ended"), asyncio.CancelledError()]  # type: ignore[list-item]
        town.operators[0][0]._watching._begin_again.set()
        await asyncio.sleep(10)
        assert stream.runs == 4
        town.room("late")
        await town.ready("late")
        await town.stop()

    run(scene())


def test_a_namespace_that_is_deleted_meanwhile_stops_nothing() -> None:
    async def scene() -> None:
        town = Town()
        operator = town.start()
        town.room()
        await asyncio.sleep(1.2)
        town.api.terminating.add(NAMESPACE)
        for kind in (ROOMS, PODS, SERVICES, SECRETS, BUDGETS):
            for name in town.api.bodies(kind, NAMESPACE):
                if name in town.api.bodies(kind, NAMESPACE):
                    town.api.remove(kind, NAMESPACE, name)
        for name in town.api.bodies(POOLS, NAMESPACE):
            town.api.remove(POOLS, NAMESPACE, name)
        await town.until(lambda: not town.api.bodies(POOLS), 60, "the finalizer is released")
        await asyncio.sleep(60)
        assert not town.pods()
        assert operator.pulse.complaint() == ""
        await town.stop()

    run(scene())


def test_a_pod_that_quota_refuses_is_told_of_with_the_cure_and_made_when_it_may() -> None:
    async def scene() -> None:
        town = Town()
        town.api.refuse_pods = QUOTA
        town.start()
        town.room()
        await town.until(
            lambda: condition(town.status(), names.READY)[1] == names.POD_REFUSED, TRUTH_S
        )
        message = condition(town.status(), names.READY)[2]
        assert QUOTA in message
        assert "raise the ResourceQuota" in message
        assert condition(town.pool_status(), names.READY)[1] == names.POD_REFUSED
        assert "PodRefused" in town.reasons()
        town.api.refuse_pods = ""
        await town.ready(within_s=40)
        await town.stop()

    run(scene())


def test_a_clock_that_is_stepped_cuts_nobody_off() -> None:
    async def scene() -> None:
        town = await settled(limits=Limits())
        pod = town.status()["podName"]
        town.mixer(pod).people["standup"] = 2
        await asyncio.sleep(2)
        town.api.change(
            NODES, "", town.pods()[pod]["spec"]["nodeName"], {"spec": {"unschedulable": True}}
        )
        await town.until(lambda: town.phase() == names.DRAINING, TRUTH_S)
        town.clock.step_s = -3600
        await asyncio.sleep(25)
        assert town.owners() == [pod]
        await town.stop()

    run(scene())


def test_a_container_that_lost_its_rooms_has_them_back_within_two_seconds() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        town.mixer(pod).restart()
        assert town.owners() == []
        assert await town.until(lambda: town.owners() == [pod], TRUTH_S) <= 2
        await town.ready()
        await town.stop()

    run(scene())


def test_a_container_that_kept_its_rooms_is_not_told_them_again() -> None:
    async def scene() -> None:
        town = await settled()
        mixer = town.mixer(town.status()["podName"])
        told = mixer.told
        mixer.restart(keeps=True)
        await asyncio.sleep(10)
        assert mixer.told == told
        assert mixer.directory > 0
        await town.stop()

    run(scene())


def test_a_room_leaves_a_pod_that_is_neither_ready_nor_answers() -> None:
    async def scene() -> None:
        # with moves it would have left a pod that does not answer before (remediation)
        town = await settled(limits=Limits())
        pod = town.status()["podName"]
        town.mixer(pod).people["standup"] = 5
        await asyncio.sleep(2)
        town.mixer(pod).silent = True
        await asyncio.sleep(20)
        assert town.status()["podName"] == pod  # its kubelet still finds it Ready
        unready = [{"type": "Ready", "status": "False"}]
        town.api.change(PODS, NAMESPACE, pod, {"status": {"conditions": unready}})
        await town.until(lambda: town.status()["podName"] != pod, TRUTH_S)
        await town.ready()
        await town.stop()

    run(scene())


def test_a_take_over_by_the_twin_is_put_on_record() -> None:
    async def scene() -> None:
        town = await settled()
        status = town.status()
        twin = town.mixer(status["twinPodName"])
        twin.rooms = [{**twin.rooms[0], "role": "owner", "epoch": status["epoch"] + 1}]
        await town.until(lambda: town.status()["podName"] == status["twinPodName"], TRUTH_S)
        assert town.status()["epoch"] == status["epoch"] + 1
        assert "TakenOver" in town.reasons()
        await town.stop()

    run(scene())


def test_a_document_that_a_pod_refuses_is_said_and_not_sent_for_ever() -> None:
    async def scene() -> None:
        town = await settled()
        mixer = town.mixer(town.status()["podName"])
        mixer.refuse = Reply(422, {"error": "invalid", "message": "rooms[0].spec: too new"})
        asked = mixer.asked
        town.api.change(ROOMS, NAMESPACE, "standup", {"spec": {"audio": {"talkers": 1}}})
        await asyncio.sleep(20)
        assert "DocumentRefused" in town.reasons()
        assert mixer.asked - asked < 30
        await town.stop()

    run(scene())


def test_without_the_right_to_read_nodes_rooms_run_and_a_condition_says_so() -> None:
    async def scene() -> None:
        town = Town()

        def forbidden(verb: str, kind: Kind, name: str) -> None:
            if kind is NODES:
                raise ApiError(403, "Forbidden", "nodes is forbidden")

        town.api.before = forbidden
        town.start()
        town.room()
        await town.ready()
        assert condition(town.status(), names.REMEDIATION_BLOCKED)[:2] == (
            "True",
            names.NODES_NOT_READABLE,
        )
        town.api.before = lambda *_: None
        await asyncio.sleep(80)
        assert condition(town.status(), names.REMEDIATION_BLOCKED)[0] == "False"
        await town.stop()

    run(scene())


def test_a_cordoned_node_is_left_by_empty_rooms_at_once() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        node = town.pods()[pod]["spec"]["nodeName"]
        town.api.change(NODES, "", node, {"spec": {"unschedulable": True}})
        await town.until(lambda: town.status()["podName"] != pod, TRUTH_S)
        await town.ready()
        await town.stop()

    run(scene())
