"""The mixer under test: the product's own command, started with the laboratory's environment."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_mixer.control.auth import keyfile, tokens
from voiceroom_mixer.core.state import stats
from voiceroom_mixer.core.state.legstate import Role
from voiceroom_mixer.edge import clock, shm

_ROOM: Final = "lab"
_DOCUMENT: Final = f"""\
apiVersion: voiceroom.dev/v1alpha1
kind: VoiceRoom
metadata: {{name: {_ROOM}}}
spec: {{}}
"""
FRAME_NS: Final = 20 * NS_PER_MS
_SEGMENT: Final = "/memfd:voiceroom-media-0"
_READY_S: Final = 30
_END_S: Final = 5.0
HOOK: Final = Path(__file__).with_name("hook")


def free_port(kind: int) -> int:
    """One that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class MixerUnderTest:
    """Running from ``start`` to ``close``. Raises ``OSError`` when it does not come up."""

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        prepare: Callable[[], None],
    ) -> None:
        """``prepare`` runs in the child before it becomes the mixer."""
        self._log = folder / "mixer.log"
        self._http = f"127.0.0.1:{free_port(socket.SOCK_STREAM)}"
        self._environ = {**os.environ, **environ, "XDG_STATE_HOME": str(folder)}
        self._process = self._start(folder / "rooms.yaml", prepare)
        try:
            self._wait_ready()
            self.segment = shm.attach(self._open_segment())
        except OSError:
            self.close()
            raise

    def _start(self, rooms: Path, prepare: Callable[[], None]) -> subprocess.Popen[bytes]:
        rooms.write_text(_DOCUMENT)
        udp = f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
        command = [sys.executable, "-P", "-m", "voiceroom_mixer", "run", str(rooms)]
        command += ["--http", self._http, "--udp", udp, "--drain-deadline", "0s"]
        try:
            with self._log.open("wb") as log:
                return subprocess.Popen(
                    command, stdout=log, stderr=log, env=self._environ, preexec_fn=prepare
                )
        except subprocess.SubprocessError as error:
            raise OSError(f"the mixer under test could not be started: {error}") from error

    @property
    def keeper(self) -> int:
        """Its first process."""
        return self._process.pid

    @property
    def media(self) -> int:
        """Process id of the media process of now."""
        return self.segment.word("media_pid")

    @property
    def control(self) -> int:
        """Process id of the control process of now."""
        return self.segment.word("control_pid")

    @property
    def frame_ns(self) -> int:
        """Of its rooms, as the ladder has it now."""
        return int(self.segment.counters[stats.INDEX["frame_ns"]]) or FRAME_NS

    def alive(self) -> bool:
        """Whether the keeper runs."""
        return self._process.poll() is None

    def add_leg(self, port: int) -> tuple[str, int, int]:
        """A plain-RTP leg at this local port: where to send to, and as which payload type."""
        body = {"kind": "rtp", "ip": "127.0.0.1", "port": port, "payloadType": 111,
                "identity": f"sender-{port}", "role": "speaker"}  # fmt: skip
        said = self._call("POST", f"/rooms/{_ROOM}/legs", body)
        return str(said["ip"]), int(said["port"]), int(said["payloadType"])

    def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://{self._http}{path}", json.dumps(body).encode(), method=method,
            headers={"Authorization": f"Bearer {self._token()}",
                     "Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request, timeout=10) as answer:
            said: dict[str, Any] = json.loads(answer.read())
        return said

    def _token(self) -> str:
        role: Role = "moderator"
        keys = keyfile.load(keyfile.default_path(self._environ))
        now_s = clock.wall_ns() / NS_PER_S
        return tokens.sign(
            keys, sub="lab", room=_ROOM, role=role, now_s=now_s, ttl_s=86_400, jti="lab"
        )

    def _wait_ready(self) -> None:
        for _ in range(_READY_S * 10):
            if not self.alive():
                break
            with suppress(OSError):
                url = f"http://{self._http}/readyz"
                with urllib.request.urlopen(url, timeout=2) as answer:
                    if answer.status == 200:
                        return
            clock.sleep_until(clock.monotonic_ns() + 100 * NS_PER_MS)
        said = self._log.read_text(errors="replace")[-2_000:]
        raise OSError(f"the mixer under test did not become ready:\n{said}")

    def _open_segment(self) -> int:
        for entry in Path(f"/proc/{self._process.pid}/fd").iterdir():
            with suppress(OSError):
                if os.readlink(entry).startswith(_SEGMENT):
                    return os.open(entry, os.O_RDWR | os.O_CLOEXEC)
        raise OSError("the mixer under test has no shared memory of media")

    def close(self) -> None:
        """End it: politely twice, then not."""
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
