"""A real ``voiceroom-mixer run`` on free ports, always stopped by its process id."""

from __future__ import annotations

import os
import re
import secrets
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.door import Door
from voiceroom_mixer.control.auth import keyfile, tokens
from voiceroom_mixer.core.state.legstate import Role

LOBBY = """\
apiVersion: voiceroom.dev/v1alpha1
kind: VoiceRoom
metadata:
  name: lobby
spec: {}
"""

PATIENT = LOBBY.replace("{}", "{audio: {jitterBuffer: {minMs: 120, maxMs: 200}}}")
"""Absorbs what a busy machine does to a sender's pace, so that a gap is the mixer's own."""


PORTS = range(10_000, 30_000)
"""Below those that the kernel gives to whoever asks for any, so that nobody else takes them."""
_given: set[int] = set()


def free_port(kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port that is free, and that this process gives to nobody else."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Another test process begins elsewhere.
    begin = os.getpid() * 101 % len(PORTS)
    for further in range(len(PORTS)):
        port = PORTS[(begin + further) % len(PORTS)]
        if port not in _given and _is_free(family, kind, host, port):
            _given.add(port)
            return port
    raise AssertionError(f"no free port among {PORTS}")


def _is_free(family: int, kind: int, host: str, port: int) -> bool:
    with socket.socket(family, kind) as sock:
        try:
            sock.bind((host, port))
        except OSError:
            return False
    return True


class Mixer(Door):
    """The running process and its HTTP face."""

    def __init__(self, process: subprocess.Popen[str], http: str, folder: Path) -> None:
        super().__init__(f"http://{http}")
        self.process = process
        self.folder = folder
        self.links: dict[str, list[str]] = {}
        self.output: list[str] = []

    def wait_ready(self, rooms: int, timeout_s: float = 40.0) -> None:
        """Read the join links: two a room."""
        deadline = time.monotonic() + timeout_s
        assert self.process.stdout is not None
        while sum(len(v) for v in self.links.values()) < 2 * rooms:
            left = deadline - time.monotonic()
            assert left > 0, f"not ready within {timeout_s} s: {self.output}"
            if not select.select([self.process.stdout], [], [], left)[0]:
                continue
            # not readline: select knows nothing of lines that wait in Python's buffer
            text = os.read(self.process.stdout.fileno(), 65536).decode()
            assert text or self.process.poll() is None, f"mixer ended: {self.stderr()}"
            self.output.append(text)
            said = "".join(self.output)
            self.links.clear()
            for found in re.finditer(r"^https?://\S+/rooms/([a-z0-9-]+)\?token=\S+$", said, re.M):
                self.links.setdefault(found[1], []).append(found[0])

    def stderr(self) -> str:
        """What it wrote to its log."""
        return (self.folder / "stderr.log").read_text()

    def token(self, role: str, room: str = "lobby", identity: str = "tester") -> str:
        """A token by the command that users have."""
        command = [sys.executable, "-m", "voiceroom_mixer", "token", "--room", room]
        command += ["--identity", identity, "--role", role, "--ttl", "1h"]
        env = os.environ | {"XDG_STATE_HOME": str(self.folder)}
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=env)
        return done.stdout.strip()

    def sign(self, role: Role, room: str = "lobby", identity: str = "tester") -> str:
        """The same token, without the start of a process."""
        keys = keyfile.load(keyfile.default_path({"XDG_STATE_HOME": str(self.folder)}))
        jti = secrets.token_urlsafe(12)
        return tokens.sign(
            keys, sub=identity, room=room, role=role, now_s=time.time(), ttl_s=3600, jti=jti
        )

    def metrics(self) -> dict[str, float]:
        """The plain text format: sample name with its labels, and its value."""
        status, text, _ = self.call("GET", "/metrics")
        assert status == 200
        pairs = (line.rpartition(" ") for line in text.splitlines() if line[:1] not in ("#", ""))
        return {name: float(value) for name, _, value in pairs}

    def pids(self) -> dict[str, int]:
        """The children by name: voiceroom-media, voiceroom-control (and spares)."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                name = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
            except (OSError, IndexError):
                continue
            if parent == self.process.pid:
                found[Path(name).name] = int(entry.name)
        return found


@contextmanager
def running(
    folder: Path, *options: str, documents: str = LOBBY, host: str = "127.0.0.1"
) -> Iterator[Mixer]:
    """A mixer with these rooms; SIGKILL by id at the end if it does not go by itself."""
    rooms = folder / "rooms.yaml"
    rooms.write_text(documents)
    shown = f"[{host}]" if ":" in host else host
    http = f"{shown}:{free_port(host=host)}"
    udp = f"{shown}:{free_port(socket.SOCK_DGRAM, host)}"
    command = [sys.executable, "-m", "voiceroom_mixer", "run", str(rooms)]
    command += ["--http", http, "--udp", udp, *options]
    env = os.environ | {"XDG_STATE_HOME": str(folder)}
    with (
        (folder / "stderr.log").open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env
        ) as process,
    ):
        mixer = Mixer(process, http, folder)
        try:
            mixer.wait_ready(documents.count("kind: VoiceRoom"))
            yield mixer
        finally:
            # Two of one kind can merge into one while they wait; these two cannot.
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
            assert process.stdout is not None
            process.stdout.close()
