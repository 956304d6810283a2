"""The commands as a person types them, against a cluster in memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
import yaml

from fakes.kubecluster import FakeCluster, room
from fakes.typed import NOW, Typed
from voiceroom_kubectl.cluster import ClusterError, NotFound, Object

SECRET = bytes(range(32))
KEYS = {"keys": [{"kid": "a", "secret": base64.b64encode(SECRET).decode(), "use": "join"}]}
READY = {"type": "Ready", "status": "True", "reason": "AsWanted", "message": ""}


def lobby(**status: Any) -> Object:
    """A room that runs."""
    usual = {
        "phase": "Ready",
        "podName": "voiceroom-default-0",
        "twinPodName": "voiceroom-default-1",
        "nodeName": "node-1",
        "epoch": 4,
        "participants": 2,
        "endpoint": {"url": "https://voice.example.org/rooms/lobby", "udp": ["192.0.2.7:2047"]},
        "realtime": {"mode": "Quota", "granted": True},
        "timing": {"p99Ms": 0.31, "verdict": "", "since": "2026-03-01T12:30:00Z"},
        "conditions": [READY],
    }
    return room("lobby", status=usual | status)


def default_pool() -> Object:
    """Two of three pods are ready."""
    return room("default") | {
        "kind": "MixerPool",
        "spec": {"realtime": {"mode": "Quota"}},
        "status": {
            "pods": {"ready": 2, "desired": 3, "draining": 1},
            "rooms": 5,
            "participants": 40,
            "headroom": 0.62,
            "conditions": [{**READY, "status": "False", "reason": "NoCapacity"}],
        },
    }


@pytest.fixture
def typed() -> Typed:
    """A cluster with a room, its pool and the pool's keys."""
    cluster = FakeCluster().add(lobby())
    cluster.mixerpools["default", "default"] = default_pool()
    cluster.secrets["default", "voiceroom-default"] = {"keys.json": json.dumps(KEYS).encode()}
    return Typed(cluster)


def cells(line: str) -> list[str]:
    """Of a table's line."""
    return [cell for cell in line.split("   ") if cell.strip()]


def test_rooms_are_one_a_line(typed: Typed) -> None:
    typed.cluster.add(room("attic"), room("lobby", "elsewhere"))
    assert typed.run("rooms") == 0
    head, attic, ours = typed.out.splitlines()
    assert head.split()[:4] == ["NAME", "PHASE", "PEOPLE", "POD"]
    assert attic.split() == ["attic", "Pending", "0", "-", "-", "-", "0", "-", "60m"]
    assert ours.split() == [
        *("lobby", "Ready", "2", "voiceroom-default-0", "node-1", "0.31", "0", "-", "60m"),
    ]


def test_why_a_room_is_not_ready_stands_in_its_line(typed: Typed) -> None:
    typed.cluster.add(lobby(conditions=[{**READY, "status": "False", "reason": "PodRefused"}]))
    typed.run("rooms")
    assert "PodRefused" in typed.out


def test_all_namespaces_get_a_column_of_their_own(typed: Typed) -> None:
    typed.cluster.add(room("lobby", "elsewhere"))
    typed.run("rooms", "-A")
    assert [line.split()[0] for line in typed.out.splitlines()] == [
        "NAMESPACE",
        "default",
        "elsewhere",
    ]


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_rooms_for_programs_are_the_whole_objects(
    typed: Typed, form: str, read: Callable[[str], Any]
) -> None:
    typed.run("rooms", "-o", form)
    found = read(typed.out)
    assert found["kind"] == "List"
    assert found["items"] == [lobby()]


def test_nothing_is_said_on_the_other_stream(typed: Typed) -> None:
    assert typed.run("rooms", "-n", "nobodys") == 0
    assert (typed.out, typed.err) == ("", "No rooms found in the namespace nobodys.\n")


def test_pools_show_what_they_have_and_what_they_lack(typed: Typed) -> None:
    typed.run("pools")
    line = typed.out.splitlines()[1]
    assert line.split() == [
        *("default", "Quota", "-", "2/3", "1", "5", "40", "62%", "NoCapacity", "60m"),
    ]


def test_a_token_is_printed_and_nothing_else(typed: Typed) -> None:
    typed.run("token", "lobby", "--role", "moderator", "--identity", "ana", "--ttl", "15m")
    assert typed.err == ""
    claims = jwt.decode(
        typed.out.strip(), SECRET, ["HS256"], audience="voiceroom", options={"verify_exp": False}
    )
    expected = {"sub": "ana", "room": "lobby", "role": "moderator"}
    assert {key: claims[key] for key in expected} == expected
    assert claims["exp"] == int(NOW.timestamp()) + 15 * 60


def test_a_token_lives_as_long_as_the_room_says(typed: Typed) -> None:
    typed.cluster.add(lobby() | {"spec": {"access": {"tokenTtl": "2h"}}})
    typed.run("token", "lobby")
    claims = jwt.decode(typed.out.strip(), options={"verify_signature": False})
    assert claims["exp"] == int(NOW.timestamp()) + 2 * 3600


def test_an_admin_token_takes_an_admin_key(typed: Typed) -> None:
    with pytest.raises(ClusterError, match='no key with "use": "admin"'):
        typed.run("token", "lobby", "--role", "admin")


def test_a_room_that_is_not_there_is_named(typed: Typed) -> None:
    for command in ("describe", "token", "join", "resume"):
        with pytest.raises(NotFound, match='"cellar" not found'):
            typed.run(command, "cellar")


def test_pause_and_resume_change_that_field_alone(typed: Typed) -> None:
    typed.cluster.add(lobby() | {"spec": {"remediation": {"mode": "Enforce"}}})
    assert typed.run("pause", "lobby", "--reason", "a concert") == 0
    assert typed.cluster.room("default", "lobby")["spec"]["remediation"] == {
        "mode": "Enforce",
        "paused": {"reason": "a concert"},
    }
    typed.run("resume", "lobby")
    assert typed.cluster.room("default", "lobby")["spec"]["remediation"] == {"mode": "Enforce"}


def test_the_story_of_a_room_that_is_fine(typed: Typed) -> None:
    typed.run("describe", "lobby")
    assert typed.out.splitlines() == [
        "lobby is Ready. 2 people are in.",
        "It runs in the pod voiceroom-default-0 on node-1 (binding 4); "
        "voiceroom-default-1 stands by to take it over.",
        "People join at https://voice.example.org/rooms/lobby; media goes to 192.0.2.7:2047 (UDP).",
        "Its pool default has 2 of 3 pods ready; real-time mode Quota: granted.",
        "Its timer keeps time for 30m; 99 of 100 ticks begin within 0.31 ms.",
        "It has never been moved.",
    ]


def test_the_story_of_a_room_in_trouble(typed: Typed) -> None:
    move = {
        "id": "m1",
        "reason": "Drift",
        "from": "voiceroom-default-2",
        "to": "voiceroom-default-0",
        "startedAt": "2026-03-01T12:49:58Z",
        "switchedAt": "2026-03-01T12:50:00Z",
        "gapMs": 20,
        "lostFrames": 1,
    }
    refused = {
        "type": "Ready",
        "status": "False",
        "reason": "NoCapacity",
        "message": "10 of 10 pods are full",
        "lastTransitionTime": "2026-03-01T12:55:00Z",
    }
    typed.cluster.add(
        lobby(
            participants=1,
            twinPodName="",
            timing={"p99Ms": 31.5, "verdict": "starved", "since": "2026-03-01T12:59:00Z"},
            moves={"count": 1, "last": move, "history": [move]},
            conditions=[refused],
        )
        | {"spec": {"locked": True, "remediation": {"paused": {"reason": "a concert"}}}}
    )
    uid = lobby()["metadata"]["uid"]
    event = {
        "involvedObject": {"uid": uid},
        "reason": "Moved",
        "message": "from 2 to 0",
        "count": 3,
    }
    typed.cluster.recorded = [event | {"lastTimestamp": "2026-03-01T12:50:00Z"}]
    typed.run("describe", "lobby")
    told = typed.out
    assert "One person is in, and it is locked" in told
    assert "no pod stands by for it" in told
    assert "is off (starved: the pod was runnable and got no CPU" in told
    assert "Ready is False since 5m (NoCapacity): 10 of 10 pods are full. no pod has room" in told
    assert "10m ago from voiceroom-default-2 to voiceroom-default-0, reason Drift: 20 ms" in told
    assert "paused, because 'a concert'" in told
    assert "10m ago  Moved: from 2 to 0 (3 times)" in told


def test_a_room_that_nobody_looked_at_says_what_to_look_for(typed: Typed) -> None:
    typed.cluster.add(room("attic"))
    typed.run("describe", "attic")
    assert "Does the operator run" in typed.out


def test_join_needs_a_pod_that_answers(typed: Typed) -> None:
    with pytest.raises(ClusterError, match="no pod of the pool default is ready"):
        typed.run("join", "lobby")


def test_join_prints_the_link_opens_it_and_stays(typed: Typed) -> None:
    typed.cluster.pods["default", "voiceroom-default-0"] = mixer_pod("voiceroom-default-0")

    def interrupted() -> None:
        raise KeyboardInterrupt

    typed.time.at_sleep = interrupted
    assert typed.run("join", "lobby", "--role", "listener") == 0
    (link,) = typed.out.splitlines()
    assert link.startswith("http://127.0.0.1:")
    assert "/rooms/lobby?token=" in link
    assert typed.opened == [link]
    typed.run("join", "lobby", "--no-open")
    assert typed.opened == [link]


def mixer_pod(name: str) -> Object:
    """That is Ready."""
    made = room(name)
    made["metadata"]["labels"] = {"voiceroom.dev/pool": "default"}
    ports = [{"name": "http", "containerPort": 8080}, {"name": "metrics", "containerPort": 9464}]
    return made | {
        "spec": {"nodeName": "node-1", "containers": [{"name": "mixer", "ports": ports}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


def metrics(ticks: int, late: int, skipped: int) -> str:
    """Of a mixer: ``late`` of its ticks began between 1 and 2 ms late, the others at once."""
    name = "voiceroom_tick_lateness_seconds"
    edges = {"5e-05": ticks - late, "0.001": ticks - late, "0.002": ticks, "+Inf": ticks}
    buckets = "".join(
        f'{name}_bucket{{side="late",le="{edge}"}} {count}\n' for edge, count in edges.items()
    )
    early = f'{name}_bucket{{side="early",le="+Inf"}} 7\n'
    work = f'voiceroom_tick_work_seconds_bucket{{le="0.005"}} {ticks}\n'
    work += f'voiceroom_tick_work_seconds_bucket{{le="+Inf"}} {ticks}\n'
    rest = f"voiceroom_ticks_skipped_total {skipped}\nvoiceroom_rooms 3\n"
    legs = 'voiceroom_legs{kind="webrtc"} 4\nvoiceroom_legs{kind="rtp"} 1\n'
    heads = f"# TYPE {name} histogram\n"
    return (
        heads
        + buckets
        + early
        + "# TYPE voiceroom_tick_work_seconds histogram\n"
        + work
        + rest
        + legs
    )


def test_top_shows_what_happened_while_it_looked(typed: Typed) -> None:
    name = "voiceroom-default-0"
    typed.cluster.pods["default", name] = mixer_pod(name)
    texts = iter([metrics(1_000_000, 500_000, 40), metrics(1_000_100, 500_010, 42)])
    typed.cluster.texts[name, "/metrics"] = lambda: next(texts)
    typed.cluster.cpus[name] = 0.214
    typed.run("top", "--seconds", "2")
    assert typed.time.ns == 2_000_000_000
    line = typed.out.splitlines()[1].split()
    # of 100 ticks 90 within 0.05 ms and 10 between 1 and 2: the 99th percentile is 0.9 of the way
    assert line == [name, "node-1", "3", "5", "0.03", "1.90", "4.95", "2", "0.21"]


def test_top_for_programs_leaves_out_what_is_not_known(typed: Typed) -> None:
    name = "voiceroom-default-0"
    typed.cluster.pods["default", name] = mixer_pod(name)
    typed.cluster.texts[name, "/metrics"] = lambda: metrics(10, 0, 0)
    typed.run("top", "-o", "json")
    (item,) = json.loads(typed.out)["items"]
    assert item == {
        "namespace": "default",
        "pod": name,
        "node": "node-1",
        "rooms": 3,
        "legs": 5,
        "skipped": 0,
    }


def test_top_says_which_pod_could_not_be_asked(typed: Typed) -> None:
    for name in ("voiceroom-default-0", "voiceroom-default-1"):
        typed.cluster.pods["default", name] = mixer_pod(name)
    typed.cluster.pods["default", "voiceroom-default-1"]["status"]["phase"] = "Pending"
    typed.run("top")
    assert "voiceroom-default-0: dial" in typed.err
    assert "voiceroom-default-1: not running" in typed.err
    assert len(typed.out.splitlines()) == 3


def test_check_gives_up_with_the_rooms_own_reason(typed: Typed) -> None:
    def refuse(made: Object) -> None:
        words = {"reason": "PodRefused", "message": "pods are forbidden by quota"}
        made["status"] = {"conditions": [{**READY, "status": "False", **words}]}

    typed.cluster.on_create = refuse
    with pytest.raises(ClusterError, match="PodRefused: pods are forbidden by quota"):
        typed.run("check", "--timeout", "5s")
    assert typed.time.ns == 5_000_000_000
    assert list(typed.cluster.voicerooms) == [("default", "lobby")]


def test_check_keeps_its_room_when_it_is_asked_to(typed: Typed) -> None:
    with pytest.raises(ClusterError, match="nobody has looked at it"):
        typed.run("check", "--timeout", "1s", "--keep")
    assert len(typed.cluster.voicerooms) == 2
