"""A canary in a town of fakes: from its first pod to what becomes of it, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fakes.looptime import run
from fakes.town import NAMESPACE, Town, condition
from voiceroom_api import names
from voiceroom_operator.canary.shares import place
from voiceroom_operator.cluster.kinds import EVENTS, PODS, POOLS, ROOMS

SHORT: dict[str, Any] = {
    "lateness": {"window": "10s", "minTicks": 300},
    "jitter": {"window": "30s", "minSamples": 20},
    "recoveries": {"window": "1m"},
    "observe": "20s",
    "deadline": "20s",
    "maxRestarts": 1,
}
BETWEEN_ROUNDS_S = 1.013
"""Everything else happens at fifths of a second: no round is under way then."""
ROOM_NAMES = [f"room-{number}" for number in range(8)]
TRIED = "registry.example.org/voiceroom:2"


async def begun(percent: int = 50, gate: dict[str, Any] | None = None, **spec: Any) -> Town:
    """Eight rooms with people in the pool default, and a canary of it."""
    town = Town()
    town.pool()
    town.start()
    for name in ROOM_NAMES:
        town.room(name)
    await town.ready(*ROOM_NAMES)
    for pod in town.pods():
        town.mixer(pod).people |= dict.fromkeys(town.mixer(pod).owned(), 3)
    canary(town, percent, gate, **spec)
    return town


def canary(town: Town, percent: int = 50, gate: dict[str, Any] | None = None, **spec: Any) -> None:
    trial = {"of": "default", "percent": percent, "gate": SHORT | (gate or {})}
    usual = {"image": TRIED, "size": {"min": 1, "spare": 0}, "canary": trial}
    town.pool("next", **(usual | spec))


def said(town: Town, name: str = "next") -> dict[str, Any]:
    found: dict[str, Any] = town.pool_status(name).get("canary") or {}
    return found


async def phase(town: Town, wanted: str, within_s: float = 300.0) -> dict[str, Any]:
    await town.until(lambda: said(town).get("phase") == wanted, within_s, wanted)
    return said(town)


def lent(town: Town) -> set[str]:
    """Rooms that pods of the canary run."""
    return {name for name in ROOM_NAMES if str(town.status(name).get("podName")).startswith(POD)}


POD = "voiceroom-next-"


def share(town: Town, percent: int) -> set[str]:
    uids = {name: body["metadata"]["uid"] for name, body in town.api.bodies(ROOMS).items()}
    return {name for name in ROOM_NAMES if place(uids[name]) < percent * 100}


async def has_its_share(town: Town, percent: int = 50, within_s: float = 30.0) -> None:
    await town.until(lambda: lent(town) == share(town, percent), within_s, f"{lent(town)}")


def image(town: Town, pool: str = "default") -> str | None:
    found: str | None = town.api.bodies(POOLS)[pool]["spec"].get("image")
    return found


def mixers(town: Town) -> list[Any]:
    return [town.mixer(pod) for pod in town.pods() if pod.startswith(POD)]


def decide(town: Town, wish: str, id_: str = "one") -> None:
    text = json.dumps({"id": id_, "do": wish, "why": "a test"})
    patch = {"metadata": {"annotations": {names.CANARY_ANNOTATION: text}}}
    town.api.change(POOLS, NAMESPACE, "next", patch)


def acted(scene: Callable[[], Awaitable[Town]]) -> None:
    async def whole() -> None:
        town = await scene()
        await asyncio.sleep(BETWEEN_ROUNDS_S)
        await town.stop()

    run(whole())


def test_a_good_canary_runs_its_share_and_is_promoted() -> None:
    async def scene() -> Town:
        town = await begun()
        observing = await phase(town, "Observing")
        assert observing["of"] == "default"
        await has_its_share(town)
        assert 0 < len(lent(town)) < len(ROOM_NAMES)
        await asyncio.sleep(12)
        assert said(town)["phase"] == "Observing", "gate.observe has not passed"
        figures = {each["name"]: each for each in said(town)["indicators"]}
        assert figures["Lateness"]["limit"] == 2000
        assert figures["Jitter"]["value"] == 1.0
        assert figures["Jitter"]["samples"] > 0
        assert said(town)["rooms"] == len(lent(town))
        await phase(town, "Promoting")
        await phase(town, "Promoted")
        assert image(town) == TRIED
        await town.until(lambda: not lent(town), 30, "rooms go back")
        pods = town.pods()
        owners = {str(town.status(name)["podName"]) for name in ROOM_NAMES}
        assert {pods[pod]["spec"]["containers"][0]["image"] for pod in owners} == {TRIED}
        seen = {"CanaryObserving", "CanaryPromoting", "CanaryPromoted"}
        assert seen <= town.reasons()
        assert "CanaryRolledBack" not in town.reasons()
        over, other = said(town), town.api.bodies(POOLS)["default"]["metadata"]["generation"]
        await asyncio.sleep(60)
        assert said(town) == over | {"rooms": 0}
        assert town.api.bodies(POOLS)["default"]["metadata"]["generation"] == other
        return town

    acted(scene)


def test_no_room_goes_to_a_canary_before_a_pod_of_it_is_ready() -> None:
    async def scene() -> Town:
        town = await begun()
        town.kubelet.idle = True
        await phase(town, "Waiting")
        await asyncio.sleep(10)
        assert not lent(town)
        assert said(town)["reason"] == "WaitingForPod"
        return town

    acted(scene)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"late_share": 0.05}, "LatenessAboveLimit"),
        ({"rough_share": 0.2}, "JitterShareTooLow"),
        ({"faults": {"recovered": 1, "late": 1}}, "RecoveryShareTooLow"),
    ],
)
def test_a_bad_indicator_rolls_back(wrong: dict[str, Any], reason: str) -> None:
    async def scene() -> Town:
        town = await begun(gate={"observe": "5m"})
        await phase(town, "Observing")
        await has_its_share(town)
        await asyncio.sleep(15)
        for mixer in mixers(town):
            for key, value in wrong.items():
                setattr(mixer, key, value)
        over = await phase(town, "RolledBack")
        assert over["reason"] == reason
        await town.until(lambda: not lent(town), 30, "rooms go back")
        assert image(town) is None, "the other pool is as it was"
        bodies = town.api.bodies(EVENTS).values()
        (event,) = (one for one in bodies if one["reason"] == "CanaryRolledBack")
        assert (event["type"], reason in event["message"]) == ("Warning", True)
        await asyncio.sleep(30)
        assert (said(town)["phase"], lent(town)) == ("RolledBack", set())
        return town

    acted(scene)


def test_too_few_samples_never_promote() -> None:
    async def scene() -> Town:
        town = await begun(gate={"jitter": {"minSamples": 1_000_000}})
        await phase(town, "Observing")
        await asyncio.sleep(60)
        now = said(town)
        assert (now["phase"], now["reason"]) == ("Observing", "TooFewSamples")
        assert "1000000 are needed" in now["message"]
        return town

    acted(scene)


def test_an_image_that_counts_nothing_is_not_promoted() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        for mixer in mixers(town):
            mixer.shows = False
        await asyncio.sleep(60)
        assert (said(town)["phase"], said(town)["reason"]) == ("Observing", "TooFewSamples")
        return town

    acted(scene)


def test_one_that_never_gets_ready_is_rolled_back_after_the_deadline() -> None:
    async def scene() -> Town:
        town = await begun()
        town.kubelet.idle = True
        over = await phase(town, "RolledBack", 30)
        assert over["reason"] == "NotReady"
        assert "gate.deadline" in over["message"]
        assert not lent(town)
        return town

    acted(scene)


def test_one_that_crashes_again_and_again_is_rolled_back() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        await has_its_share(town)
        pod = next(name for name in town.pods() if name.startswith(POD))
        for count, wanted in ((1, "Observing"), (2, "RolledBack")):
            status = {"containerStatuses": [{"name": "mixer", "restartCount": count}]}
            town.api.change(PODS, NAMESPACE, pod, {"status": status})
            await asyncio.sleep(3)
            assert said(town)["phase"] == wanted
        assert said(town)["reason"] == "Crashed"
        await town.until(lambda: not lent(town), 30, "rooms go back")
        decide(town, "Retry")
        await phase(town, "Observing", 10)
        await asyncio.sleep(10)
        assert said(town)["phase"] == "Observing", "earlier restarts do not count"
        return town

    acted(scene)


def test_while_no_pod_of_it_is_ready_its_rooms_are_in_the_other_pool() -> None:
    async def scene() -> Town:
        town = await begun(gate={"deadline": "10m"})
        await phase(town, "Observing")
        await has_its_share(town)
        pod = next(name for name in town.pods() if name.startswith(POD))
        town.mixer(pod).silent = True
        unready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        town.api.change(PODS, NAMESPACE, pod, unready)
        await town.until(lambda: not lent(town), 20, "elsewhere")
        assert said(town)["phase"] == "Observing"
        assert all(town.phase(name) == names.READY for name in ROOM_NAMES)
        town.mixer(pod).silent = False
        ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
        town.api.change(PODS, NAMESPACE, pod, ready)
        await has_its_share(town)
        return town

    acted(scene)


def test_a_greater_share_keeps_the_rooms_of_the_lesser() -> None:
    async def scene() -> Town:
        town = await begun(20)
        await phase(town, "Observing")
        await has_its_share(town, 20)
        few = lent(town)
        epochs = {name: town.status(name)["epoch"] for name in few}
        town.api.change(POOLS, NAMESPACE, "next", {"spec": {"canary": {"percent": 70}}})
        await has_its_share(town, 70)
        assert few < lent(town)
        assert {name: town.status(name)["epoch"] for name in few} == epochs, "they did not move"
        town.api.change(POOLS, NAMESPACE, "next", {"spec": {"canary": {"percent": 0}}})
        await has_its_share(town, 0)
        assert said(town)["phase"] == "Observing"
        return town

    acted(scene)


def test_rooms_of_other_pools_and_those_that_name_the_canary_are_left_alone() -> None:
    async def scene() -> Town:
        town = await begun(100)
        town.pool("other")
        town.room("apart", poolName="other")
        town.room("tried", poolName="next")
        await phase(town, "Observing")
        await has_its_share(town, 100)
        await town.ready("apart", "tried")
        assert str(town.status("apart")["podName"]).startswith("voiceroom-other-")
        assert str(town.status("tried")["podName"]).startswith(POD)
        decide(town, "RollBack")
        await town.until(lambda: not lent(town), 30, "rooms go back")
        assert str(town.status("tried")["podName"]).startswith(POD)
        return town

    acted(scene)


def test_twins_of_lent_rooms_run_what_is_tried() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        await has_its_share(town)
        await asyncio.sleep(5)
        twins = {name: str(town.status(name).get("twinPodName", "")) for name in lent(town)}
        assert twins
        assert all(twin.startswith("voiceroom-default-") for twin in twins.values()), twins
        return town

    acted(scene)


def test_pods_of_both_pools_know_where_each_others_rooms_are() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        await has_its_share(town)
        await asyncio.sleep(3)
        for pod in town.pods():
            assert set(town.mixer(pod).places) == set(ROOM_NAMES)
        urls = {town.status(name)["endpoint"]["url"].rpartition("/")[0] for name in ROOM_NAMES}
        assert urls == {"http://voiceroom-default.voice.svc/rooms"}
        body = next(body for name, body in town.pods().items() if name.startswith(POD))
        (secret,) = (v["secret"] for v in body["spec"]["volumes"] if "secret" in v)
        assert secret["secretName"] == "voiceroom-default"
        env = {each["name"]: each.get("value") for each in body["spec"]["containers"][0]["env"]}
        assert env["POOL_NAME"] == "default"
        return town

    acted(scene)


def test_paused_nothing_is_decided_and_a_person_decides() -> None:
    async def scene() -> Town:
        town = await begun()
        paused = {"canary": {"paused": {"reason": "a holiday"}}}
        town.api.change(POOLS, NAMESPACE, "next", {"spec": paused})
        await asyncio.sleep(10)
        assert (said(town)["phase"], said(town)["reason"]) == ("Waiting", "Paused")
        town.api.change(POOLS, NAMESPACE, "next", {"spec": {"canary": {"paused": None}}})
        await phase(town, "Observing")
        town.api.change(POOLS, NAMESPACE, "next", {"spec": paused})
        for mixer in mixers(town):
            mixer.late_share = 0.5
        await asyncio.sleep(60)
        assert (said(town)["phase"], said(town)["reason"]) == ("Observing", "Paused")
        assert lent(town) == share(town, 50)
        decide(town, "Promote")
        await phase(town, "Promoted")
        assert said(town)["decision"] == {"id": "one", "state": "Done"}
        assert image(town) == TRIED
        return town

    acted(scene)


def test_a_decision_that_cannot_be_is_refused_once() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        decide(town, "Perhaps")
        await town.until(lambda: "decision" in said(town), 10, "an answer")
        assert said(town)["decision"]["state"] == "Refused"
        assert "do must be" in said(town)["decision"]["message"]
        await asyncio.sleep(1)
        assert "CanaryRefused" in town.reasons()
        await phase(town, "Promoted")
        decide(town, "RollBack", "two")
        await town.until(lambda: said(town)["decision"]["id"] == "two", 10, "an answer")
        assert "former one" in said(town)["decision"]["message"]
        return town

    acted(scene)


def test_another_image_is_another_trial() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        await has_its_share(town)
        for mixer in mixers(town):
            mixer.late_share = 0.5
        await phase(town, "RolledBack")
        town.api.change(POOLS, NAMESPACE, "next", {"spec": {"image": f"{TRIED}.1"}})
        await phase(town, "Observing")
        await phase(town, "Promoted")
        assert image(town) == f"{TRIED}.1"
        return town

    acted(scene)


@pytest.mark.parametrize("moment", ["Waiting", "Observing", "Promoting"])
def test_a_restart_of_the_operator_changes_nothing(moment: str) -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, moment)
        await asyncio.sleep(BETWEEN_ROUNDS_S)
        await town.kill()
        before = said(town)["since"]
        town.start("two")
        await asyncio.sleep(25)
        assert before == said(town)["since"] or moment != "Observing", "one trial"
        await phase(town, "Promoted")
        assert image(town) == TRIED
        bodies = town.api.bodies(EVENTS).values()
        assert sum(one["reason"] == "CanaryRolledBack" for one in bodies) == 0
        return town

    acted(scene)


def test_who_changes_the_other_pool_meanwhile_is_not_fought() -> None:
    async def scene() -> Town:
        town = await begun()
        town.kubelet.patient = True
        await phase(town, "Observing")
        await has_its_share(town)
        decide(town, "Promote")
        await town.until(lambda: "appliedGeneration" in said(town), 20, "it is written")
        town.kubelet.idle = True
        town.api.change(POOLS, NAMESPACE, "default", {"spec": {"image": "mine:3"}})
        over = await phase(town, "RolledBack", 20)
        assert over["reason"] == "Overruled"
        await asyncio.sleep(30)
        assert image(town) == "mine:3"
        return town

    acted(scene)


@pytest.mark.parametrize(("of", "reason"), [("nowhere", "PoolNotFound"), ("chain", "OfIsCanary")])
def test_what_cannot_be_a_canary_waits_and_says_why(of: str, reason: str) -> None:
    async def scene() -> Town:
        town = Town()
        town.start()
        town.pool("default")
        town.pool("chain", canary={"of": "default"}, size={"min": 1, "spare": 0})
        town.pool("next", canary={"of": of, "gate": SHORT}, size={"min": 1, "spare": 0})
        await asyncio.sleep(30)
        assert (said(town)["phase"], said(town)["reason"]) == ("Waiting", reason)
        return town

    acted(scene)


def test_one_canary_at_a_time_the_oldest() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        town.pool("a-later-one", canary={"of": "default"}, size={"min": 1, "spare": 0})
        await asyncio.sleep(5)
        assert said(town, "a-later-one")["reason"] == "AnotherCanary"
        assert said(town)["phase"] == "Observing"
        return town

    acted(scene)


def test_a_canary_that_is_no_more_gives_its_rooms_back() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        await has_its_share(town)
        town.api.remove(POOLS, NAMESPACE, "next")
        await town.until(lambda: not lent(town), 30, "rooms go back")
        await town.until(lambda: "next" not in town.api.bodies(POOLS), 120, "it is gone")
        assert all(town.phase(name) == names.READY for name in ROOM_NAMES)
        return town

    acted(scene)


def test_rooms_do_not_wait_for_a_canary_that_is_full() -> None:
    async def scene() -> Town:
        town = await begun(
            100, size={"min": 1, "max": 1, "spare": 0}, capacity={"rooms": 4, "participants": 50}
        )
        await phase(town, "Observing")
        await asyncio.sleep(12)
        assert len(lent(town)) == 4
        town.room("late")
        await town.ready("late")
        assert all(town.phase(name) == names.READY for name in ROOM_NAMES)
        return town

    acted(scene)


def test_moves_for_a_canary_say_so() -> None:
    async def scene() -> Town:
        town = await begun()
        await phase(town, "Observing")
        await has_its_share(town)
        moved = next(iter(lent(town)))
        assert town.status(moved)["moves"]["last"]["reason"] == names.CANARY
        assert condition(town.status(moved), names.READY)[0] == "True"
        return town

    acted(scene)
