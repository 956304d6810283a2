"""What fails, or belongs to somebody else, holds up and harms nothing beside it."""

import asyncio
from typing import Any

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.cluster.api import ApiError
from voiceroom_operator.cluster.kinds import PODS, POOLS, SECRETS, SERVICES, Kind
from voiceroom_operator.pool.actions import PatchPod

QUOTA = 'pods "voiceroom-small-0" is forbidden: exceeded quota: small, requested: cpu=1'


def fails_for(word: str, status: int, reason: str, message: str) -> Any:
    """Writes of objects with this word in their name."""

    def before(verb: str, kind: Kind, name: str) -> None:
        if word in name and verb in ("create", "patch"):
            raise ApiError(status, reason, message)

    return before


async def two_pools(refuse: Any) -> Town:
    """``default`` is well, ``small`` cannot get what it needs."""
    town = Town()
    town.api.before = refuse
    town.start()
    town.pool()
    town.pool("small")
    town.room("waiting", poolName="small")
    town.room()
    await town.ready()
    return town


def test_a_pool_that_quota_refuses_holds_up_no_room_of_another() -> None:
    async def scene() -> None:
        town = await two_pools(fails_for("voiceroom-small-", 403, "Forbidden", QUOTA))
        await asyncio.sleep(120)
        for n in range(5):
            town.room(f"late-{n}")
            assert await town.ready(f"late-{n}") < 1
        said = condition(town.status("waiting"), names.READY)
        assert said[:2] == ("False", names.POD_REFUSED)
        await town.stop()

    run(scene())


def test_a_refused_pod_is_not_asked_for_with_every_piece_of_news() -> None:
    async def scene() -> None:
        town = await two_pools(fails_for("voiceroom-small-", 403, "Forbidden", QUOTA))
        await asyncio.sleep(60)
        asked = town.api.calls.count(("create", "pods", "voiceroom-small-0"))
        for n in range(50):
            town.api.change(
                POOLS, NAMESPACE, "default", {"metadata": {"annotations": {"n": str(n)}}}
            )
            await asyncio.sleep(0.6)
        assert town.api.calls.count(("create", "pods", "voiceroom-small-0")) - asked <= 3
        await town.stop()

    run(scene())


def test_a_pool_that_is_changed_is_tried_at_once() -> None:
    async def scene() -> None:
        town = await two_pools(fails_for("voiceroom-small-", 403, "Forbidden", QUOTA))
        await asyncio.sleep(60)
        town.api.before = lambda *_: None
        town.api.change(POOLS, NAMESPACE, "small", {"spec": {"image": "registry.example.org/a:2"}})
        assert await town.ready("waiting") < 4
        await town.stop()

    run(scene())


def test_a_pool_that_is_deleted_goes_while_another_cannot_be_put_in_order() -> None:
    async def scene() -> None:
        town = await two_pools(fails_for("voiceroom-small", 500, "InternalError", "not now"))
        town.api.remove(POOLS, NAMESPACE, "default")
        await town.until(lambda: "default" not in town.api.bodies(POOLS), 60, "the pool ends")
        await town.stop()

    run(scene())


def test_an_object_of_somebody_else_is_not_taken_over() -> None:
    async def scene() -> None:
        town = Town()
        theirs = {"ports": [{"port": 80}], "selector": {"app": "shop"}}
        town.api.put(SERVICES, NAMESPACE, "voiceroom-default", spec=theirs)
        town.start()
        town.pool()
        await town.until(
            lambda: condition(town.pool_status(), names.READY)[1] == names.POD_REFUSED, 5
        )
        words = condition(town.pool_status(), names.READY)[2]
        assert "the Service voiceroom-default is there and is not of MixerPool default" in words
        assert "delete it, or give the pool another name" in words
        await asyncio.sleep(60)
        service = town.api.bodies(SERVICES)["voiceroom-default"]
        assert service["spec"]["selector"] == {"app": "shop"}
        assert not town.pods()
        town.api.vanish(SERVICES, NAMESPACE, "voiceroom-default")
        await town.until(lambda: len(town.pods()) == 2, 20, "pods are made")
        await town.stop()

    run(scene())


def test_a_pod_of_somebody_else_that_has_a_name_of_ours_is_named_and_not_asked_for_ever() -> None:
    async def scene() -> None:
        town = Town()
        town.kubelet.idle = True
        town.api.put(PODS, NAMESPACE, "voiceroom-default-0", spec={"containers": []})
        town.start()
        town.pool()
        await asyncio.sleep(60)
        words = condition(town.pool_status(), names.READY)[2]
        assert "the Pod voiceroom-default-0 is there and is not of MixerPool default" in words
        assert town.api.calls.count(("create", "pods", "voiceroom-default-0")) < 12
        town.kubelet.idle = False
        town.api.vanish(PODS, NAMESPACE, "voiceroom-default-0")
        await town.until(lambda: len(town.pods()) == 2, 20, "pods are made")
        await town.stop()

    run(scene())


def test_a_pool_does_not_take_the_key_of_anothers_ca() -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.pool("gold")
        await town.until(lambda: "voiceroom-gold-ca" in town.api.bodies(SECRETS), 5)
        town.pool("gold-ca")
        await town.until(
            lambda: condition(town.pool_status("gold-ca"), names.READY)[1] == names.POD_REFUSED, 5
        )
        secret = town.api.bodies(SECRETS)["voiceroom-gold-ca"]
        assert secret["metadata"]["labels"][names.POOL_LABEL] == "gold"
        assert set(secret["data"]) == {"ca.crt", "ca.key"}
        await town.stop()

    run(scene())


def test_what_a_backup_brought_back_is_taken_on() -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.pool()
        await town.until(lambda: len(town.pods()) == 2, 20)
        kept = town.api.bodies(SECRETS)["voiceroom-default"]
        await town.kill()
        for name in town.pods():
            town.api.vanish(PODS, NAMESPACE, name)
        town.api.vanish(POOLS, NAMESPACE, "default")
        town.api.put(
            SECRETS, NAMESPACE, "voiceroom-default", metadata=kept["metadata"], data=kept["data"]
        )
        town.start()
        town.pool()
        await town.until(lambda: len(town.pods()) == 2, 20)
        now = town.api.bodies(SECRETS)["voiceroom-default"]
        assert now["data"]["keys.json"] == kept["data"]["keys.json"]
        uid = town.api.bodies(POOLS)["default"]["metadata"]["uid"]
        assert [owner["uid"] for owner in now["metadata"]["ownerReferences"]] == [uid]
        await town.stop()

    run(scene())


def test_a_late_word_of_the_old_leader_does_not_take_protection_away() -> None:
    async def scene() -> None:
        town = Town()
        old = town.start()
        town.pool()
        await town.until(lambda: len(town.pods()) == 2, 20)
        await asyncio.sleep(5)
        seen = town.pods()["voiceroom-default-0"]
        town.api.change(
            PODS,
            NAMESPACE,
            "voiceroom-default-0",
            {"metadata": {"labels": {names.OCCUPIED_LABEL: "true"}}},
        )
        patch = PatchPod("voiceroom-default-0", seen["metadata"]["uid"], occupied=False)
        hands = old._reconciler._parts.hands
        with pytest.raises(ApiError, match="Conflict"):
            await hands.patch_pod(NAMESPACE, patch, seen)
        await town.stop()

    run(scene())


def test_a_ready_pod_that_does_not_answer_gets_no_new_room_and_keeps_those_it_has() -> None:
    async def scene() -> None:
        town = Town()
        town.start()
        town.pool(remediation={"mode": "Off"})
        town.room()
        await town.ready()
        pod = town.status()["podName"]
        await asyncio.sleep(5)
        town.mixer(pod).silent = True
        await asyncio.sleep(10)
        for n in range(4):
            town.room(f"late-{n}")
            await town.ready(f"late-{n}")
            assert town.status(f"late-{n}")["podName"] != pod
        assert town.status()["podName"] == pod
        town.kubelet.idle = True
        for mixer in town.mixers.by_address.values():
            mixer.silent = True
        await asyncio.sleep(10)
        town.room("unheard")
        await asyncio.sleep(5)
        reason, message = condition(town.status("unheard"), names.READY)[1:]
        assert reason == names.WAITING_FOR_POD
        assert "answers the operator on its port admin" in message
        await town.stop()

    run(scene())


def test_a_loop_that_crashes_ends_the_process() -> None:
    async def scene() -> None:
        town = Town()
        operator = town.start()
        await asyncio.sleep(5)

        async def crash(_: object) -> None:
            raise ZeroDivisionError

        operator._events.post = crash  # type: ignore[method-assign, assignment]
        town.room()
        await asyncio.sleep(5)
        (_, _, task), *_ = town.operators
        town.operators.clear()
        with pytest.raises(ZeroDivisionError):
            await task

    run(scene())
