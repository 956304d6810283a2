"""Real ``voiceroom-mixer pod`` processes on loopback, told by the operator's own code."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.mixer import Mixer, free_port
from voiceroom_api.mixerpool import MixerPoolSpec
from voiceroom_api.voiceroom import VoiceRoomSpec
from voiceroom_mixer.control.auth import keyfile, tokens
from voiceroom_mixer.core.state.legstate import Role
from voiceroom_operator.admin.access import Access, access
from voiceroom_operator.binding.assignment import (
    Assignment,
    RoomCard,
    Seat,
    next_assignment,
    pod_settings,
)
from voiceroom_operator.binding.directory import Directory, Place
from voiceroom_operator.children.marks import PoolRef
from voiceroom_operator.children.secrets import KeyMaterial, tls_name
from voiceroom_operator.keys.material import wanted
from voiceroom_operator.observed import MoveSeen, RoomSeen
from voiceroom_operator.observed import Role as Role_

POOL = PoolRef("default", "voice", "uid-pool")
READY_S = 40.0


@dataclass
class Secret:
    """The pool's Secret as a kubelet mounts it: a link to a folder, exchanged at one stroke."""

    folder: Path
    material: KeyMaterial = field(init=False)
    turns: int = 0

    def __post_init__(self) -> None:
        self.write(wanted({}, {}, tls_name(POOL), time.time()).pool)

    @property
    def path(self) -> Path:
        """Where a pod sees the files."""
        return self.folder / "pool"

    def write(self, material: KeyMaterial) -> None:
        """Put other files in their place."""
        self.material, self.turns = material, self.turns + 1
        version = self.folder / f"version-{self.turns}"
        version.mkdir()
        files = {
            "keys.json": material.keys_json,
            "ca.crt": material.ca_cert,
            "tls.crt": material.tls_cert,
            "tls.key": material.tls_key,
        }
        self.path.mkdir(exist_ok=True)
        for name, raw in files.items():
            (version / name).write_bytes(raw)
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(Path("..data", name))
        fresh = self.path / "..data_tmp"
        fresh.symlink_to(version)
        fresh.replace(self.path / "..data")

    def access(self) -> Access:
        """As the operator has it."""
        return access(self.material, tls_name(POOL))


class Pod(Mixer):
    """One pod: its container may be started again."""

    def __init__(
        self, name: str, folder: Path, secret: Secret, *options: str, host: str = "127.0.0.1"
    ) -> None:
        """``host``: where its media is."""
        self.name, self.secret, self.host = name, secret, host
        folder.mkdir(parents=True, exist_ok=True)
        self.state = folder / "state"
        self.state.mkdir(exist_ok=True)
        self.admin, self.scraped = free_port(), free_port()
        self._http = f"127.0.0.1:{free_port()}"
        self._udp, self._options = free_port(socket.SOCK_DGRAM, host), options
        self._folder = folder
        self.generation = Assignment()
        self.card = card()
        """Of rooms of which ``assign`` is told nothing else."""
        super().__init__(self._start(), self._http, folder)

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "voiceroom_mixer", "pod", "--http", self._http]
        command += ["--admin", f"127.0.0.1:{self.admin}", "--metrics", f"127.0.0.1:{self.scraped}"]
        command += ["--udp", f"{self.host}:{self._udp}", "--pool-dir", str(self.secret.path)]
        command += ["--state-dir", str(self.state), "--realtime", "Shared", *self._options]
        env = os.environ | {"POD_NAME": self.name, "POD_NAMESPACE": POOL.namespace}
        env |= {"POOL_NAME": POOL.name, "NODE_NAME": f"node-{self.name}"}
        with (self._folder / "stderr.log").open("a") as errors:
            return subprocess.Popen(command, stderr=errors, text=True, env=env)

    def restart(self) -> None:
        """The container dies and is started again, as a kubelet does it."""
        self.process.kill()
        self.process.wait(10)
        self.process = self._start()
        self.until_ready()

    def until_ready(self, timeout_s: float = READY_S) -> None:
        """Wait for /readyz."""
        self.until(lambda: self._readiness() == 200, "not ready", timeout_s)

    def _readiness(self) -> int:
        try:
            return self.call("GET", "/readyz")[0]
        except OSError:
            return 0

    def until(self, holds: Any, what: str, timeout_s: float = 10.0) -> None:
        """Poll."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert self.process.poll() is None, f"{self.name} has ended: {self.stderr()}"
            assert time.monotonic() < deadline, f"{self.name}: {what}: {self.stderr()[-2000:]}"
            time.sleep(0.05)

    def stop(self) -> None:
        """Twice told ends it at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def sign(self, role: Role, room: str = "lobby", identity: str = "tester") -> str:
        """With the newest keys of the pool."""
        keys = keyfile.load(self.secret.path / "keys.json")
        jti = secrets.token_urlsafe(12)
        return tokens.sign(
            keys, sub=identity, room=room, role=role, now_s=time.time(), ttl_s=3600, jti=jti
        )

    def metrics(self) -> dict[str, float]:
        """From the listener of their own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.scraped, timeout=10)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        pairs = (line.rpartition(" ") for line in text.splitlines() if line[:1] not in ("#", ""))
        return {name: float(value) for name, _, value in pairs}

    # the operator

    def tell(
        self, method: str, what: str, document: Mapping[str, Any] | None = None, **how: Any
    ) -> tuple[int, dict[str, Any]]:
        """One call of the operator's; ``context``, ``name`` and ``bearer`` for others."""
        own = self.secret.access()
        bearer = how.get("bearer", own.bearer(time.time()))
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {bearer}"}
        with connected(
            self.admin, how.get("context", own.context), how.get("name", own.server_name)
        ) as connection:
            body = json.dumps(document) if document is not None else None
            connection.request(method, how.get("path", f"/admin/v1/{what}"), body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")

    def assign(self, *seats: Seat, term: int = 1, **cards: RoomCard) -> int:
        """As the operator would; the answer's status."""
        known = {seat.room.name: self.card for seat in seats} | cards
        settings = pod_settings(MixerPoolSpec(), (self.host,))
        self.generation = next_assignment(self.generation, seats, known, settings)
        return self.tell("PUT", "assignment", self.generation.to_dict(term))[0]

    def status(self) -> dict[str, Any]:
        """Its own word."""
        code, body = self.tell("GET", "status")
        assert code == 200, body
        return body


@contextmanager
def connected(
    port: int, context: ssl.SSLContext, name: str
) -> Iterator[http.client.HTTPConnection]:
    """To an admin listener, as ``context`` has it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    plain = socket.create_connection(("127.0.0.1", port), timeout=10)
    try:
        connection.sock = context.wrap_socket(plain, server_hostname=name)
        yield connection
    finally:
        plain.close()
        connection.close()


def card(**spec: Any) -> RoomCard:
    """A room with every default but ``spec``."""
    return RoomCard(VoiceRoomSpec().to_dict() | spec)


def owned(room: str, pod: str, *, epoch: int = 1, uid: str = "", twin: str = "") -> Seat:
    """The pod runs the room."""
    return Seat(
        RoomSeen(room, uid or f"uid-{room}", POOL.name, pod=pod, epoch=epoch, twin=twin), "owner"
    )


def standing(
    room: str,
    owner: str,
    role: Role_,
    *,
    epoch: int = 1,
    to_epoch: int = 0,
    move: str = "move-1",
    twin: str = "",
) -> Seat:
    """Another pod runs the room under ``epoch``; this one is its twin, or is to have it under
    ``to_epoch``."""
    going = MoveSeen("", to_epoch, move) if role == "successor" else None
    seen = RoomSeen(room, f"uid-{room}", POOL.name, pod=owner, epoch=epoch, twin=twin, move=going)
    return Seat(seen, role)


def direct(
    pods: list[Pod],
    directory: Directory,
    places: Mapping[str, Pod],
    term: int = 1,
    epoch: int = 1,
) -> None:
    """Tell all pods where the rooms are."""
    known = directory.number
    where = {room: Place(pod.name, f"127.0.0.1:{pod.admin}", epoch) for room, pod in places.items()}
    directory.update(where)
    document = directory.document(term, known)
    for pod in pods if document is not None else ():
        code, body = pod.tell("PUT", "directory", document)
        assert code == 200, body


@contextmanager
def pods(
    folder: Path, *names: str, options: tuple[str, ...] = (), host: str = "127.0.0.1"
) -> Iterator[list[Pod]]:
    """Ready pods of one pool, always stopped."""
    secret = Secret(folder)
    running: list[Pod] = []
    try:
        for name in names:
            running.append(Pod(name, folder / name, secret, *options, host=host))
        for pod in running:
            pod.until_ready()
        yield running
    finally:
        for pod in running:
            pod.stop()
