"""``POST /alerts``, and what alerts do to rooms."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fakes import grafana
from fakes.looptime import run
from fakes.town import NAMESPACE, UNIX_S, Town
from voiceroom_operator.cluster.kinds import PODS, SECRETS
from voiceroom_operator.reading.alerts import AlertSaid, read_delivery
from voiceroom_operator.round.bearer import SECRET
from voiceroom_operator.running.alerts import (
    LASTS_S,
    MOST_BYTES,
    WAITING,
    Alerts,
    Door,
    Result,
)
from voiceroom_operator.status.conditions import timestamp

BODY: dict[str, Any] = {
    "version": "4",
    "alerts": [
        {
            "status": "firing",
            "labels": {"pod": "p", "namespace": "voice"},
            "startsAt": "2027-01-15T08:00:00Z",
            "fingerprint": "f",
        }
    ],
}
GOOD = {"Authorization": "Bearer secret"}
Client = TestClient[Any, Any]


class Still:
    """A clock that is set."""

    def __init__(self) -> None:
        self.now_s = UNIX_S

    def monotonic_s(self) -> float:
        return self.now_s

    def unix_s(self) -> float:
        return self.now_s

    def wall_s(self) -> float:
        return self.now_s

    def cpu_s(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing sleeps here")


class Desk:
    """The alerts of a leader, and what was counted."""

    def __init__(self) -> None:
        self.clock = Still()
        self.counted: list[Result] = []
        self.woken: list[str] = []
        self.leading = True
        self.token = b"secret"
        self.found: tuple[str, ...] = ("voice",)
        self.alerts = Alerts(self.clock, self, lambda _: self.found, self.woken.append)

    def alerted(self, result: Result) -> None:
        self.counted.append(result)

    def call(self, test: Callable[[Client], Awaitable[None]]) -> None:
        door = Door(self.alerts, self, lambda: self.leading, lambda: self.token)

        async def scene() -> None:
            async with TestClient(TestServer(door.application())) as client:
                await test(client)

        asyncio.run(scene())

    def post(self, body: Any = BODY, headers: dict[str, str] = GOOD) -> int:
        statuses: list[int] = []
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()

        async def one(client: Client) -> None:
            reply = await client.post("/alerts", data=io.BytesIO(raw), headers=headers)
            statuses.append(reply.status)

        self.call(one)
        return statuses[0]

    def keys(self) -> set[str]:
        return {alarm.key for _, alarm in self.alerts.inbox().firing}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_delivery_is_taken_at_once(desk: Desk) -> None:
    assert desk.post() == 202
    assert (desk.counted, desk.woken) == (["taken"], ["voice"])
    ((namespace, alarm),) = desk.alerts.inbox().firing
    assert (namespace, alarm.pod, alarm.until_s) == ("voice", "p", UNIX_S + LASTS_S)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic secret"},
        {"Authorization": "Bearer secret2"},
    ],
)
def test_without_the_token_nothing_is_read(desk: Desk, headers: dict[str, str]) -> None:
    assert desk.post(b"no JSON at all", headers) == 401
    assert desk.counted == ["unauthorized"]


def test_a_body_that_is_no_delivery_is_never_to_be_sent_again(desk: Desk) -> None:
    assert desk.post(b"{}") == 400
    assert desk.counted == ["malformed"]


def test_a_body_that_is_too_large_is_refused(desk: Desk) -> None:
    assert desk.post(b" " * (MOST_BYTES + 1)) == 413
    assert desk.counted == ["too_large"]


def test_a_standby_sends_the_sender_elsewhere(desk: Desk) -> None:
    desk.leading = False

    async def look(client: Client) -> None:
        reply = await client.post("/alerts", data=b"{}", headers=GOOD)
        assert reply.status == 503
        assert reply.headers["Connection"] == "close"

    desk.call(look)
    assert desk.counted == ["standby"]


def test_a_leader_without_the_token_takes_nothing(desk: Desk) -> None:
    desk.token = b""
    assert desk.post(headers={"Authorization": "Bearer "}) == 503


def test_other_ways_in_are_none(desk: Desk) -> None:
    async def look(client: Client) -> None:
        assert (await client.get("/alerts", headers=GOOD)).status == 405
        assert (await client.post("/", headers=GOOD)).status == 404

    desk.call(look)


def said(key: str = "f", status: Any = "firing", **fields: Any) -> AlertSaid:
    usual: dict[str, Any] = {"starts_at": "t", "since_s": UNIX_S, "namespace": "voice", "pod": "p"}
    return AlertSaid(status, key, **(usual | fields))


def test_copies_and_replays_change_nothing(desk: Desk) -> None:
    desk.alerts.take([said(), said()])
    desk.alerts.take([said()])
    assert desk.counted == ["taken", "duplicate", "duplicate"]
    desk.alerts.take([said(status="resolved"), said(status="resolved"), said()])
    assert desk.counted[3:] == ["resolved", "duplicate", "duplicate"]
    assert desk.keys() == set()
    assert desk.alerts.inbox().resolved == {"f@t"}


def test_an_alert_lasts_as_long_as_it_is_sent(desk: Desk) -> None:
    desk.alerts.take([said()])
    desk.clock.now_s += LASTS_S - 1
    desk.alerts.take([said()])
    desk.clock.now_s += LASTS_S - 1
    assert desk.keys() == {"f@t"}
    desk.clock.now_s += 2
    assert desk.keys() == set()


def test_an_alert_of_nobody_is_counted(desk: Desk) -> None:
    desk.found = ()
    desk.alerts.take([said()])
    assert (desk.counted, desk.keys()) == (["unknown_target"], set())


def test_only_so_many_are_remembered(desk: Desk) -> None:
    desk.alerts.take(said(f"f{at}") for at in range(WAITING + 7))
    assert desk.counted.count("dropped") == 7
    assert len(desk.keys()) == WAITING
    desk.alerts.take([said("f1", "resolved")])
    assert desk.counted[-1] == "resolved"


# Rooms


async def settled(**remediation: Any) -> Town:
    town = Town()
    town.pool(size={"min": 4, "spare": 0}, remediation=remediation)
    town.start(alerts=("127.0.0.1", 0))
    town.room()
    await town.ready()
    await asyncio.sleep(15)
    return town


def fire(town: Town, status: Any = "firing", **fields: Any) -> None:
    now_s = town.clock.unix_s()
    town.operators[0][0].alerts.take([said(status=status, since_s=now_s, **fields)])


def alerted_of(town: Town) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = town.pool_status()["budget"].get("alerts", [])
    return found


def test_the_token_is_made_once_and_kept() -> None:
    async def scene() -> None:
        town = await settled()
        secret = town.api.bodies(SECRETS, "system")[SECRET]
        operator = town.operators[0][0]
        await town.until(lambda: bool(operator.bearer.token()), 5, "read")
        await town.stop()
        second = town.start("two", alerts=("127.0.0.1", 0))
        await town.until(lambda: bool(second.bearer.token()), 20, "read again")
        assert town.api.bodies(SECRETS, "system")[SECRET] == secret
        assert second.bearer.token() == operator.bearer.token()
        town.api.change(SECRETS, "system", SECRET, {"data": {"token": "bmV3"}})
        await town.until(lambda: second.bearer.token() == b"new", 60, "followed")
        await town.stop()

    run(scene())


def test_an_alert_that_the_own_look_does_not_confirm_moves_nothing() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        fire(town, pod=pod)
        await asyncio.sleep(60)
        assert town.status()["podName"] == pod
        assert "AlertUnconfirmed" in town.reasons()
        await town.stop()

    run(scene())


def test_with_an_alert_one_bad_second_is_enough() -> None:
    async def scene() -> None:
        town = await settled()
        pod = town.status()["podName"]
        fire(town, pod=pod)
        town.mixer(pod).stall("gc")
        await asyncio.sleep(1.1)
        town.mixer(pod).recover()
        await town.until(lambda: town.status()["podName"] != pod, 6, "elsewhere")
        await town.stop()

    run(scene())


def test_without_the_own_look_alerts_alone_move_rooms_under_the_same_guard_rails() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False)
        pod, node = town.status()["podName"], town.status()["nodeName"]
        town.mixer(pod).stall("gc")
        await asyncio.sleep(30)
        assert town.status()["podName"] == pod
        fire(town, pod=pod, cause="gc")
        await town.until(lambda: town.status()["podName"] != pod, 6, "elsewhere")
        (entry,) = town.pool_status()["budget"]["evacuations"]
        assert (entry["what"], entry["cause"], entry["node"]) == ("Pod", "gc", node)
        await town.stop()

    run(scene())


def test_an_alert_of_grafanas_own_moves_rooms_as_well_and_its_end_is_heard() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False)
        pod, node = town.status()["podName"], town.status()["nodeName"]
        starts_at = datetime.fromtimestamp(town.clock.unix_s(), timezone(timedelta(hours=2)))

        def send(status: str) -> None:
            labels = {"namespace": NAMESPACE, "pod": pod, "cause": "gc"}
            raw = grafana.delivery(status, starts_at.isoformat(), **labels)
            town.operators[0][0].alerts.take(read_delivery(raw))

        send("firing")
        await town.until(lambda: town.status()["podName"] != pod, 6, "elsewhere")
        (entry,) = town.pool_status()["budget"]["evacuations"]
        assert (entry["what"], entry["cause"], entry["node"]) == ("Pod", "gc", node)
        send("resolved")
        await town.until(lambda: not alerted_of(town), 10, "over")
        await town.stop()

    run(scene())


def test_an_alert_about_a_node_leaves_the_node() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False)
        node = town.status()["nodeName"]
        fire(town, pod="", node=node, namespace="monitoring")
        await town.until(lambda: town.status()["nodeName"] != node, 6, "elsewhere")
        await town.until(lambda: not town.on(node), 30, "empty")
        await town.stop()

    run(scene())


def test_alerts_about_all_nodes_are_a_storm() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False)
        pod = town.status()["podName"]
        operator, now_s = town.operators[0][0], town.clock.unix_s()
        operator.alerts.take(
            [said(node, since_s=now_s, pod="", node=node) for node in town.kubelet.nodes]
        )
        await asyncio.sleep(30)
        assert town.status()["podName"] == pod
        await town.stop()

    run(scene())


def test_where_alerts_are_not_trusted_nothing_moves_without_the_own_look() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False, trustAlerts=False)
        pod = town.status()["podName"]
        fire(town, pod=pod, cause="gc")
        await asyncio.sleep(30)
        assert town.status()["podName"] == pod
        await town.stop()

    run(scene())


def test_an_alert_outlives_the_operator_and_its_end_is_heard() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False, trustAlerts=False)
        pod = town.status()["podName"]
        fire(town, pod=pod, cause="gc")
        await town.until(lambda: bool(alerted_of(town)), 5, "on record")
        (entry,) = alerted_of(town)
        assert entry["pod"] == pod
        assert entry["until"] > timestamp(town.clock.unix_s())
        await town.kill()
        town.start("two", alerts=("127.0.0.1", 0))
        await asyncio.sleep(30)
        assert alerted_of(town) == [entry]
        fire(town, "resolved", pod=pod)
        await town.until(lambda: not alerted_of(town), 10, "over")
        await town.stop()

    run(scene())


def test_a_late_alert_does_not_hit_the_next_pod_of_the_name() -> None:
    async def scene() -> None:
        town = await settled(ownLook=False)
        pod, now_s = town.status()["podName"], town.clock.unix_s()
        town.api.remove(PODS, NAMESPACE, pod)
        await asyncio.sleep(30)
        operator = town.operators[0][0]
        for name in town.pods():
            operator.alerts.take([said(name, pod=name, since_s=now_s - 3600, cause="gc")])
        before = town.status()["podName"]
        await asyncio.sleep(30)
        assert town.status()["podName"] == before
        assert town.pool_status()["budget"]["evacuations"] == []
        await town.stop()

    run(scene())
