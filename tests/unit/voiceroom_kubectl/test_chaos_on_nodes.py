"""``chaos throttle`` and ``netem``: the door on the mixer's node is asked, by its token."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from fakes.kubecluster import FakeCluster
from fakes.typed import Typed
from voiceroom_kubectl import chaos, drill
from voiceroom_kubectl.cluster import ClusterError, Object
from voiceroom_kubectl.report import Answer, Call

ON = ("--pod-selector", "voiceroom.dev/pool=stage", "--for", "60s")
THROTTLED = {"kind": "throttle", "percent": 50, "leftMs": 41_000}


class Door(HTTPServer):
    """The listener of a door, as port-forward reaches it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, str, Any]] = []
        self.answer: tuple[int, Any] = (201, {"active": THROTTLED})


class _Handler(BaseHTTPRequestHandler):
    server: Door

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = json.loads(self.rfile.read(size))
        asked = (self.command, self.path, self.headers["Authorization"], body)
        self.server.asked.append(asked)
        status, said = self.server.answer
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def door() -> Iterator[Door]:
    with Door() as made:
        thread = Thread(target=made.serve_forever, args=(0.01,))
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def cluster(door: Door, **more: Any) -> FakeCluster:
    """A mixer, and the door on its node."""
    found = FakeCluster()
    labels = {"voiceroom.dev/pool": "stage"}
    mixer = {"name": "a", "namespace": "default", "labels": labels}
    found.pods["default", "a"] = {"metadata": mixer, "spec": {"nodeName": "n1"}}
    port = {"name": "orders", "containerPort": 9467}
    labels = {"app.kubernetes.io/component": "chaos-door"}
    for name, node in (("door-1", "n1"), ("door-2", "n2")):
        found.pods["voiceroom", name] = {
            "metadata": {"name": name, "namespace": "voiceroom", "labels": labels} | more,
            "spec": {"nodeName": node, "containers": [{"ports": [port]}]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }
    found.secrets["voiceroom", "voiceroom-chaos-door"] = {"token": b"sesame\n"}
    found.doors["door-1", 9467] = door.server_port
    return found


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (("throttle",), {"percent": 50}),
        (("throttle", "--percent", "20%"), {"percent": 20}),
        (("netem",), {"delayMs": 50, "jitterMs": 0, "lossPercent": 0.0}),
        (
            ("netem", "--delay", "80ms", "--jitter=10", "--loss", "2.5%"),
            {"delayMs": 80, "jitterMs": 10, "lossPercent": 2.5},
        ),
    ],
)
def test_the_door_on_the_pods_own_node_is_asked(
    door: Door, words: tuple[str, ...], body: dict[str, Any]
) -> None:
    typed = Typed(cluster(door))
    assert typed.run("chaos", *words, *ON) == 0
    wanted = {"kind": words[0], "for": "60s"} | body
    assert door.asked == [("POST", "/v1/pods/default/a/chaos", "Bearer sesame", wanted)]
    assert "throttle 50%" in typed.out


def test_its_refusal_is_told(door: Door) -> None:
    door.answer = (501, {"error": "no_netem", "message": "modprobe sch_netem"})
    typed = Typed(cluster(door))
    assert typed.run("chaos", "netem", *ON) == 1
    assert "HTTP 501: modprobe sch_netem" in typed.out


def test_a_node_without_a_door_is_told_with_the_way_out(door: Door) -> None:
    found = cluster(door)
    del found.pods["voiceroom", "door-1"]
    typed = Typed(found)
    assert typed.run("chaos", "throttle", *ON) == 1
    assert "no door is ready on the node n1 in voiceroom" in typed.out
    assert "chaos.node.enabled" in typed.out


def test_a_door_that_ends_or_is_not_ready_is_none(door: Door) -> None:
    typed = Typed(cluster(door, deletionTimestamp="2026-03-01T12:00:00Z"))
    assert typed.run("chaos", "throttle", *ON) == 1
    found = cluster(door)
    found.pods["voiceroom", "door-1"]["status"] = {}
    assert Typed(found).run("chaos", "throttle", *ON) == 1
    assert door.asked == []


def test_without_the_secret_it_is_told_who_makes_it(door: Door) -> None:
    found = cluster(door)
    found.secrets.clear()
    typed = Typed(found)
    assert typed.run("chaos", "throttle", *ON) == 1
    assert "the doors make it within 30 s" in typed.out


@dataclass
class Both:
    """What a mixer and the door on its node answer, by their paths."""

    mixer: Answer = field(default_factory=lambda: Answer(200, {"active": None, "verdicts": []}))
    door: Answer = field(default_factory=lambda: Answer(200, {"active": THROTTLED}))
    asked: list[tuple[str, str]] = field(default_factory=list)

    def call(self, _pod: Object, call: Call) -> Answer:
        self.asked.append((call.method, call.path))
        return self.door if call.path == chaos.DOOR else self.mixer


def test_what_runs_is_shown_of_both(door: Door) -> None:
    step = {"kind": "step", "offsetMs": 50, "clock": "raw", "by": "ana", "leftMs": 9_000}
    both = Both(mixer=Answer(200, {"active": step, "verdicts": ["throttle"]}))
    typed = Typed(cluster(door), call=both.call)
    assert typed.run("chaos", "show", *ON) == 0
    assert "step +50ms of raw and throttle 50%" in typed.out
    assert "41s" in typed.out
    assert typed.run("chaos", "show", *ON, "-o", "json") == 0
    assert json.loads(typed.out)["items"][0]["onNode"] == THROTTLED


def test_both_are_ended(door: Door) -> None:
    both = Both(door=Answer(401, {"message": "the bearer token of the doors is needed"}))
    typed = Typed(cluster(door), call=both.call)
    assert typed.run("chaos", "end", *ON) == 1
    assert both.asked == [("DELETE", "/admin/v1/chaos"), ("DELETE", chaos.DOOR)]
    assert "the bearer token of the doors is needed" in typed.out


def test_where_there_are_no_doors_none_is_asked() -> None:
    found = FakeCluster()
    labels = {"voiceroom.dev/pool": "stage"}
    mixer = {"name": "a", "namespace": "default", "labels": labels}
    found.pods["default", "a"] = {"metadata": mixer, "spec": {"nodeName": "n1"}}
    both = Both()
    assert Typed(found, call=both.call).run("chaos", "end", *ON) == 0
    assert both.asked == [("DELETE", "/admin/v1/chaos")]


def test_who_may_not_see_doors_is_told_that_they_were_not_asked(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_self: FakeCluster, _namespace: str) -> list[Object]:
        raise ClusterError("pods is forbidden (HTTP 403)")

    monkeypatch.setattr(FakeCluster, "node_doors", forbidden)
    both = Both()
    typed = Typed(cluster(door), call=both.call)
    assert typed.run("chaos", "end", *ON) == 0
    assert "doors on nodes were not asked: pods is forbidden" in typed.err
    assert both.asked == [("DELETE", "/admin/v1/chaos")]


def test_a_drill_asks_the_door_for_all_of_it(door: Door) -> None:
    both = Both()
    typed = Typed(cluster(door), call=both.call)
    args = ("chaos", "throttle", *ON[:2], "--for", f"{drill.LEAST_S}s", "--drill")
    typed.run(*args)
    of_door = [method for method, path in both.asked if path == chaos.DOOR]
    assert of_door == ["POST", "GET"]
