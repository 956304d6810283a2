"""The mixer as its user starts it: ``voiceroom-mixer run``, unmodified."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench import procfs, web
from bench.errors import BenchError
from bench.load.crowd import Target
from bench.process import server
from bench.settings import PORTS

HTTP_PORT: Final = PORTS
UDP_PORT: Final = PORTS + 1
PAYLOAD_TYPE: Final = 111
LEVEL_EXT: Final = 1
MIXER: Final = Path(sys.executable).with_name("voiceroom-mixer")
SPARES: Final = 2
_SPARES_S: Final = 20.0
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class RoomSpec:
    """Of all rooms of a run; the rest stays at its default."""

    talkers: int = 3
    frame_ms: int = 20
    max_participants: int = 1000

    def document(self, name: str) -> dict[str, Any]:
        """A VoiceRoom, as JSON, which is YAML."""
        audio = {"talkers": self.talkers, "frameMs": self.frame_ms}
        return {
            "apiVersion": "voiceroom.dev/v1alpha1",
            "kind": "VoiceRoom",
            "metadata": {"name": name},
            "spec": {"maxParticipants": self.max_participants, "audio": audio},
        }


@dataclass
class Mixer:
    """A running mixer."""

    pid: int
    token: str
    client: web.Client
    sends_levels: bool = field(default=True)
    """Whether plain-RTP legs may bring RFC 6464 levels; found out at the first leg."""
    name: str = "voiceroom"

    def pids(self) -> list[int]:
        """Keeper, control, media and whatever stands by."""
        return procfs.tree(self.pid)

    def media_pid(self) -> int:
        """The one media process that works: it has been on a CPU the longest."""
        media = [pid for pid in self.pids() if procfs.command_name(pid) == "voiceroom-media"]
        if not media:
            raise BenchError("no voiceroom-media process below the keeper")
        return max(media, key=lambda pid: procfs.cpu_s([pid]))

    def whip(self, room: str, offer: str) -> str:
        """Join by WHIP; callable from any thread."""
        client = web.Client(HTTP_PORT, {"Authorization": f"Bearer {self.token}"})
        try:
            answer = client.call("POST", f"/rooms/{room}/whip", offer.encode(), "application/sdp")
        finally:
            client.close()
        if answer.status != 201:
            raise BenchError(f"WHIP refused: {answer.status} {answer.body[:300]!r}")
        return answer.body.decode()

    def add_leg(self, room: str, ip: str, port: int, identity: str) -> Target:
        """A plain-RTP leg (POST /rooms/{room}/legs)."""
        body = {"kind": "rtp", "ip": ip, "port": port, "payloadType": PAYLOAD_TYPE}
        body |= {"identity": identity, "role": "speaker"}
        if self.sends_levels:
            body["levelExt"] = LEVEL_EXT
        answer = self.client.post_json(f"/rooms/{room}/legs", body)
        if answer.status == 422 and answer.json().get("field") == "levelExt":
            self.sends_levels = False
            return self.add_leg(room, ip, port, identity)
        if answer.status != 201:
            raise BenchError(f"plain-RTP leg refused: {answer.status} {answer.body[:300]!r}")
        leg = answer.json()
        ext = LEVEL_EXT if self.sends_levels else 0
        return Target(leg["ip"], leg["port"], leg["payloadType"], ext)


def _wait_spares(running: Mixer) -> None:
    """Until the spares are there, seconds after the start: what that costs is no leg's."""
    deadline = time.monotonic() + _SPARES_S
    while time.monotonic() < deadline:
        names = [procfs.command_name(pid) for pid in running.pids()]
        if names.count("voiceroom-spare") == SPARES:
            return
        time.sleep(_LOOK_S)
    raise BenchError(f"no {SPARES} spares within {_SPARES_S:g} s")


def write_rooms(folder: Path, rooms: Sequence[str], spec: RoomSpec) -> Path:
    """One file with all the documents."""
    path = folder / "rooms.yaml"
    path.write_text("\n---\n".join(json.dumps(spec.document(room)) for room in rooms))
    return path


def _token(room: str, env: dict[str, str]) -> str:
    command = [str(MIXER), "token", "--room", room, "--identity", "bench", "--role", "admin"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"voiceroom-mixer token: {done.stderr.strip()}")
    return str(done.stdout).strip()


@contextlib.contextmanager
def mixer(rooms: Sequence[str], spec: RoomSpec | None = None) -> Iterator[Mixer]:
    """Run the rooms; keys and state are in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="voiceroom-bench-") as name:
        folder = Path(name)
        env = {"XDG_STATE_HOME": name, "PATH": "/usr/bin:/bin"}
        rooms_file = write_rooms(folder, rooms, spec or RoomSpec())
        command = [str(MIXER), "run", str(rooms_file)]
        command += ["--http", f"127.0.0.1:{HTTP_PORT}", "--udp", f"127.0.0.1:{UDP_PORT}"]
        command += ["--advertise", "127.0.0.1", "--drain-deadline", "0s"]
        log = folder / "mixer.log"
        with server(command, log, lambda: web.answers(HTTP_PORT, "/readyz"), env=env) as pid:
            token = _token(rooms[0], env)
            client = web.Client(HTTP_PORT, {"Authorization": f"Bearer {token}"})
            running = Mixer(pid, token, client)
            _wait_spares(running)
            yield running
            client.close()
