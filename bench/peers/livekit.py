"""LiveKit server, what a user would pick instead: an SFU, built from its Go module."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import jwt

from bench import cache, procfs, speech, web
from bench.errors import BenchError
from bench.load.generator import LoadWindow, parse_window
from bench.process import server
from bench.settings import PORTS

VERSION: Final = "v1.9.12"
HTTP_PORT: Final = PORTS + 30
UDP_PORT: Final = PORTS + 31
TCP_PORT: Final = PORTS + 32
CLIENTS: Final = cache.LOAD / "livekit"
_MODULE: Final = f"github.com/livekit/livekit-server/cmd/server@{VERSION}"
_KEY: Final = "bench"
_SECRET: Final = "a secret of this bench, which listens on loopback only"
_END_TIMEOUT_S: Final = 30
_TOKEN_S: Final = 3600


def server_program() -> Path:
    """The server; the first time, ``go install`` takes some minutes."""
    folder = cache.folder("livekit", VERSION)
    built = folder / "server"
    if not built.exists():
        env = os.environ | {"GOBIN": str(folder)}
        cache.run_tool(["go", "install", _MODULE], "building LiveKit server", env=env)
    return built


def clients_program() -> Path:
    """Our participants for it, in Go as well."""
    sources = sorted([*CLIENTS.glob("*.go"), *CLIENTS.glob("go.*")])
    built = cache.folder("bin") / f"livekit-clients-{cache.digest(sources)}"
    if not built.exists():
        cache.run_tool(["go", "build", "-o", built, "."], "building LiveKit clients", cwd=CLIENTS)
    return built


def config() -> str:
    """As ``--dev``, but on loopback alone and asking nobody on the internet for its address."""
    rtc: dict[str, object] = {"udp_port": UDP_PORT, "tcp_port": TCP_PORT, "use_external_ip": False}
    rtc |= {"node_ip": "127.0.0.1", "enable_loopback_candidate": True}
    rtc |= {"interfaces": {"includes": ["lo"]}, "stun_servers": ["127.0.0.1:9"]}
    return json.dumps(
        {
            "port": HTTP_PORT,
            "bind_addresses": ["127.0.0.1"],
            "rtc": rtc,
            "keys": {_KEY: _SECRET},
            "logging": {"level": "warn"},
        }
    )


@dataclass(frozen=True)
class LiveKit:
    """A running server; a room is made when the first one joins."""

    pid: int
    name: str = "LiveKit"

    def pids(self) -> list[int]:
        """One process."""
        return procfs.tree(self.pid)


@contextlib.contextmanager
def livekit() -> Iterator[LiveKit]:
    """Run the server."""
    program = server_program()
    with tempfile.TemporaryDirectory(prefix="voiceroom-bench-") as name:
        path = Path(name) / "livekit.yaml"
        path.write_text(config())
        ready = lambda: web.answers(HTTP_PORT, "/")  # noqa: E731
        with server([program, "--config", path], Path(name) / "livekit.log", ready) as pid:
            yield LiveKit(pid)


def token(room: str, identity: str) -> str:
    """What a LiveKit client joins with."""
    now = int(time.time())
    claims = {"iss": _KEY, "sub": identity, "nbf": now - 60, "exp": now + _TOKEN_S}
    return jwt.encode(claims | {"video": {"room": room, "roomJoin": True}}, _SECRET, "HS256")


def specs(participants: int, talking: int) -> str:
    """Who joins, for the clients' program: the first ``talking`` publish speech without pause, the
    others only listen, which costs an SFU less than what they send to ours."""
    media = [str(speech.speech(i, 20)) if i < talking else "" for i in range(participants)]
    return json.dumps(
        [{"token": token("bench", f"p{i}"), "media": path} for i, path in enumerate(media)]
    )


class Participants:
    """All clients, in one process of their own; used as ``measure.watch`` uses a load."""

    def __init__(self, count: int, talking: int) -> None:
        path = cache.folder("run") / "livekit-clients.json"
        path.write_text(specs(count, talking))
        path.chmod(0o600)
        self._process = subprocess.Popen(
            [clients_program(), f"ws://127.0.0.1:{HTTP_PORT}", path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.__exit__()
            raise BenchError(f"LiveKit's participants ended with {self._process.returncode}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def begin(self) -> None:
        """The measured window starts."""
        assert self._process.stdin is not None
        self._process.stdin.write("begin\n")
        self._process.stdin.flush()

    def end(self) -> LoadWindow:
        """The window ends, and with it the load."""
        out, _ = self._process.communicate("end\n", timeout=_END_TIMEOUT_S)
        if self._process.returncode != 0:
            raise BenchError(f"LiveKit's participants ended with {self._process.returncode}")
        return parse_window(out)
