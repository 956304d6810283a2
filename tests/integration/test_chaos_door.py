"""The chaos door as a process: the kernel's cgroups, and an API server over TLS that has one pod.
It is killed, and stopped, in the middle."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from fakes.nodes import UID, mixer_pod
from harness.voice import until
from voiceroom_chaosdoor.cgroups import TreeV1, TreeV2, mounted
from voiceroom_chaosdoor.quota import Quota
from voiceroom_operator.keys.certificates import new_ca, new_certificate

MINE = "/v1/pods/voice/stage-0/chaos"
WHOLE, GIVEN = Quota(50_000, 100_000), Quota(5_000, 100_000)
SECRET = {"data": {"token": b64encode(b"sesame").decode()}}
PATHS: dict[str, dict[str, Any]] = {
    "/api/v1/namespaces/voice/pods/stage-0": mixer_pod(),
    "/api/v1/namespaces/system/secrets/voiceroom-chaos-door": SECRET,
}


class ApiServer(ThreadingHTTPServer):
    """What the door asks for, and what it sends."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[dict[str, Any]] = []
        now_s = time.time()
        ca = new_ca("test", now_s)
        pair = new_certificate(ca, "localhost", now_s)
        (folder / "ca.crt").write_bytes(ca.cert)
        (folder / "token").write_text("of-the-pod\n")
        (folder / "pair.pem").write_bytes(pair.key + pair.cert)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "pair.pem")
        self.socket = context.wrap_socket(self.socket, server_side=True)


class _Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_GET(self) -> None:
        self._say(200, PATHS[self.path]) if self.path in PATHS else self._say(404, {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.events.append(body)
        self._say(201, body)

    def _say(self, status: int, body: Any) -> None:
        assert self.headers["Authorization"] == "Bearer of-the-pod"
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Silent."""


@dataclass
class Node:
    """The pod's cgroup on this machine, and doors that come and go."""

    tree: TreeV1 | TreeV2
    path: str
    folder: Path
    api: ApiServer
    doors: list[subprocess.Popen[str]] = field(default_factory=list)
    ports: tuple[int, int] = (0, 0)

    def start(self) -> subprocess.Popen[str]:
        """A door; it takes orders when this returns."""
        command = [sys.executable, "-m", "voiceroom_chaosdoor", "--node=here"]
        command += ["--namespace=system", "--listen=127.0.0.1:0", "--metrics=127.0.0.1:0"]
        command += ["--cgroups=/sys/fs/cgroup", f"--journal={self.folder / 'journal'}"]
        api_port = self.api.server_address[1]
        command += ["--api-host=localhost", f"--api-port={api_port}", f"--account={self.folder}"]
        door = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.doors.append(door)
        assert door.stderr is not None
        for line in door.stderr:
            if found := re.search(r'"orders": (\d+), "figures": (\d+)', line):
                self.ports = int(found[1]), int(found[2])
                until(lambda: self.ask("GET", "/readyz", at=1)[0] == 200, 10, "the token is read")
                return door
        raise AssertionError(f"the door has ended: {door.wait()}")

    def ask(self, method: str, path: str, body: Any = None, at: int = 0) -> tuple[int, str]:
        """Status and text; ``at``: 0 = orders, 1 = figures."""
        data = None if body is None else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.ports[at]}{path}"
        request = urllib.request.Request(url, data, method=method)
        request.add_header("Authorization", "Bearer sesame")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def throttle(self, seconds: int) -> None:
        """To a tenth."""
        order = {"kind": "throttle", "for": f"{seconds}s", "percent": 10}
        status, text = self.ask("POST", MINE, order)
        assert status == 201, text
        assert self.quota == GIVEN

    @property
    def quota(self) -> Quota | None:
        """As the kernel has it."""
        return self.tree.read(self.path)

    def reasons(self) -> list[str]:
        """Of the events."""
        return [event["reason"] for event in self.api.events]

    def close(self) -> None:
        """No door is left."""
        for door in self.doors:
            door.kill()
            door.wait()
            if door.stderr is not None:
                door.stderr.close()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with cgroup() as (tree, path), ApiServer(tmp_path) as api:
        thread = Thread(target=api.serve_forever, args=(0.05,))
        thread.start()
        made = Node(tree, path, tmp_path, api)
        try:
            yield made
        finally:
            made.close()
            api.shutdown()
            thread.join()


@contextmanager
def cgroup() -> Iterator[tuple[TreeV1 | TreeV2, str]]:
    """Of a container of the pod, with half a CPU."""
    if os.geteuid() != 0:
        pytest.skip("takes root")
    tree = mounted(Path("/sys/fs/cgroup"))
    container = tree._root / f"voiceroom-door-{os.getpid()}" / f"pod{UID}" / "c0ffee"
    path = str(container.relative_to(tree._root))
    try:
        container.mkdir(parents=True)
        if not tree.write(path, WHOLE):
            pytest.skip("the controller of CPU time is not given to cgroups here")
        yield tree, path
    except OSError as error:
        pytest.skip(f"cgroups cannot be made here: {error}")
    finally:
        for folder in (container, container.parent, container.parent.parent):
            with suppress(OSError):
                folder.rmdir()


def test_it_ends_at_the_deadline_and_events_tell_of_it(node: Node) -> None:
    node.start()
    node.throttle(1)
    until(lambda: node.quota == WHOLE, 10, "the deadline")
    until(lambda: node.reasons() == ["ChaosBegan", "ChaosOver"], 10, "events")
    assert 'undone_total{kind="throttle",why="deadline"} 1' in node.ask("GET", "/metrics", at=1)[1]


def test_a_door_that_was_killed_is_followed_by_one_that_undoes_it(node: Node) -> None:
    first = node.start()
    node.throttle(60)
    first.kill()
    first.wait()
    assert node.quota == GIVEN, "nobody is there who could"
    node.start()
    assert node.quota == WHOLE
    assert json.loads(node.ask("GET", MINE)[1]) == {"active": None}
    assert 'undone_total{kind="throttle",why="recovered"} 1' in node.ask("GET", "/metrics", at=1)[1]


def test_a_door_that_is_told_to_stop_undoes_it_first(node: Node) -> None:
    door = node.start()
    node.throttle(60)
    door.send_signal(signal.SIGTERM)
    assert door.wait(10) == 0
    assert node.quota == WHOLE
    assert node.reasons() == ["ChaosBegan", "ChaosOver"]
    assert list((node.folder / "journal").glob("*.json")) == []


def test_an_order_for_a_pod_that_the_api_server_does_not_know_is_refused(node: Node) -> None:
    node.start()
    order = {"kind": "throttle", "for": "9s", "percent": 10}
    assert node.ask("POST", "/v1/pods/voice/nobody/chaos", order)[0] == 404
    assert node.quota == WHOLE
