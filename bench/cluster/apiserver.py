"""The cluster's API by HTTP through ``kubectl proxy``, and a watch that notes when news came."""

from __future__ import annotations

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError
from localcluster import build
from localcluster.controlplane import free_port
from voiceroom_kubectl.reach import is_ready

Body = Mapping[str, Any]
GROUP: Final = "/apis/voiceroom.dev/v1alpha1"
START_S: Final = 20.0
LOOK_S: Final = 0.05


@dataclass(slots=True)
class Client:
    """One connection at a time; calls are made again when it was closed meanwhile."""

    port: int
    namespace: str
    _open: http.client.HTTPConnection | None = None

    def rooms(self, name: str = "") -> str:
        """The path of all rooms, or of one."""
        path = f"{GROUP}/namespaces/{self.namespace}/voicerooms"
        return f"{path}/{name}" if name else path

    def apply(self, name: str) -> None:
        """A room, by server-side apply as ``kubectl apply --server-side`` makes it."""
        kind = {"apiVersion": GROUP.removeprefix("/apis/"), "kind": "VoiceRoom"}
        body = kind | {"metadata": {"name": name}, "spec": {"maxParticipants": 100}}
        path = f"{self.rooms(name)}?fieldManager=bench"
        self.call("PATCH", path, body, "application/apply-patch+yaml")

    def change(self, name: str, spec: Body) -> int:
        """The generation that this has made."""
        kind = "application/merge-patch+json"
        changed = self.call("PATCH", self.rooms(name), {"spec": spec}, kind)
        return int(changed["metadata"]["generation"])

    def delete(self, name: str) -> None:
        """A room."""
        self.call("DELETE", self.rooms(name))

    def call(self, method: str, path: str, body: Body | None = None, kind: str = "") -> Any:
        """The answer. Raises: BenchError."""
        data = None if body is None else json.dumps(body)
        status, raw = self._ask(method, path, data, {"Content-Type": kind} if kind else {})
        if status >= 400:
            raise BenchError(f"{method} {path}: {status} {raw[:300].decode(errors='replace')}")
        return json.loads(raw)

    def _ask(
        self, method: str, path: str, data: str | None, head: Mapping[str, str]
    ) -> tuple[int, bytes]:
        for _ in range(2):
            if self._open is None:
                self._open = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self._open.request(method, path, data, dict(head))
                answer = self._open.getresponse()
                return answer.status, answer.read()
            except (http.client.HTTPException, OSError):
                self.close()
        raise BenchError(f"{method} {path}: no answer")

    def close(self) -> None:
        """The connection."""
        if self._open is not None:
            self._open.close()
            self._open = None


@dataclass(slots=True)
class Story:
    """What the watch has told of one room: monotonic seconds."""

    added_s: float
    ready_s: float | None = None
    """When it said Ready for the first time."""
    generation: int = 0
    """The last that its status speaks of."""


@dataclass
class Watch:
    """A watch of all rooms of the namespace, read by a thread of its own."""

    port: int
    path: str
    stories: dict[str, Story] = field(default_factory=dict)
    _thread: threading.Thread | None = None
    _answer: http.client.HTTPResponse | None = None
    _ended: bool = False

    def start(self) -> None:
        """From now on."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", f"{self.path}?watch=1&timeoutSeconds=7200")
        self._answer = connection.getresponse()
        self._thread = threading.Thread(target=self._read, name="watch", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._answer is not None
        for line in self._answer:
            self._take(json.loads(line), time.monotonic())
        self._ended = True

    def _take(self, event: Body, now_s: float) -> None:
        body = event["object"]
        name, status = body["metadata"]["name"], body.get("status") or {}
        if event["type"] == "DELETED":
            self.stories.pop(name, None)
            return
        story = self.stories.setdefault(name, Story(now_s))
        story.generation = status.get("observedGeneration", 0)
        # Not by the phase: that is Degraded on a machine whose CPUs twenty mixers share.
        if story.ready_s is None and is_ready(body):
            story.ready_s = now_s

    def ready(self, name: str) -> bool:
        """Whether it has been so."""
        story = self.stories.get(name)
        return story is not None and story.ready_s is not None

    def delay_s(self, name: str) -> float:
        """From the news that it is there to the news that it is Ready."""
        story = self.stories[name]
        assert story.ready_s is not None
        return story.ready_s - story.added_s

    def until(self, holds: Callable[[], bool], within_s: float, what: str) -> None:
        """Raises: BenchError when it does not come true."""
        end_s = time.monotonic() + within_s
        while not holds():
            if self._ended or time.monotonic() > end_s:
                raise BenchError(f"not within {within_s:g} s: {what}")
            time.sleep(LOOK_S)


@contextmanager
def proxy(kubeconfig: Path) -> Iterator[int]:
    """``kubectl proxy`` for the time of the block; its port."""
    port = free_port()
    command = [str(build.program("kubectl")), "--kubeconfig", str(kubeconfig), "proxy"]
    process = subprocess.Popen([*command, f"--port={port}"], stdout=subprocess.DEVNULL)
    try:
        _await(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int) -> None:
    end_s = time.monotonic() + START_S
    while time.monotonic() < end_s:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/version")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(LOOK_S)
        finally:
            connection.close()
    raise BenchError("kubectl proxy did not start")
