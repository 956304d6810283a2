"""The cluster's API by HTTP through ``kubectl proxy``."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.errors import BenchError
from localcluster import build
from localcluster.controlplane import free_port

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
