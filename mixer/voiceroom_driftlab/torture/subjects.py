"""What is tortured: our mixer as its user starts it, and Janus's AudioBridge where it is there."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from voiceroom_api.units import NS_PER_MS, NS_PER_S
from voiceroom_driftlab.torture.line import Where
from voiceroom_mixer.edge import clock

ROOM: Final = "torture"
PAYLOAD_TYPE: Final = 111
_READY_S: Final = 120.0
_SETTLE_S: Final = 20.0
_SPARES: Final = 2
_LOOK_NS: Final = 100 * NS_PER_MS
_END_S: Final = 5.0
_SMALLEST_PIPE: Final = 4096
_F_SETPIPE_SZ: Final = 1031
_LAST_WORDS: Final = 1500


class SubjectError(RuntimeError):
    """It could not be started or did not do what it was asked; the message has its last words."""


class Subject(Protocol):
    """A mixer under torture."""

    name: str

    def pids(self) -> list[int]:
        """Of all its processes."""

    def add_leg(self, port: int, identity: str) -> Where:
        """A plain-RTP participant at 127.0.0.1. Raises ``SubjectError``."""

    def churn(self) -> None:
        """Have somebody join and leave, which it logs."""


class Log:
    """Takes what a subject writes, through the smallest pipe there is, and can stop doing so."""

    def __init__(self) -> None:
        self._read, self.write = os.pipe()
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.write, _F_SETPIPE_SZ, _SMALLEST_PIPE)
        self._flowing = threading.Event()
        self._flowing.set()
        self.words = b""
        self._thread = threading.Thread(target=self._take, name="log", daemon=True)
        self._thread.start()

    def _take(self) -> None:
        while True:
            self._flowing.wait()
            data = os.read(self._read, 65_536)
            if not data:
                return
            self.words = (self.words + data)[-20 * _LAST_WORDS :]

    @contextlib.contextmanager
    def stuck(self) -> Iterator[None]:
        """A disk that takes nothing."""
        self._flowing.clear()
        try:
            yield
        finally:
            self._flowing.set()

    def close(self) -> None:
        """When the subject is gone."""
        self._flowing.set()
        self._thread.join(_END_S)
        os.close(self._read)


def free_port(kind: int = socket.SOCK_STREAM) -> int:
    """A port that was free a moment ago."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Door:
    """JSON over HTTP on loopback."""

    def __init__(self, port: int, headers: Mapping[str, str] | None = None) -> None:
        self.port, self._headers = port, dict(headers or {})

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON, or None. Raises ``OSError`` when nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        data = None if body is None else json.dumps(body)
        headers = self._headers | ({} if data is None else {"Content-Type": "application/json"})
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            text = answer.read()
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        with contextlib.suppress(ValueError):
            return answer.status, json.loads(text)
        return answer.status, None

    def answers(self, path: str) -> bool:
        """Whether a GET is answered with 200."""
        try:
            return self.ask("GET", path)[0] == 200
        except OSError:
            return False


@contextlib.contextmanager
def started(
    command: list[str], env: Mapping[str, str], log: Log, ready: Callable[[], bool]
) -> Iterator[int]:
    """Run until the block ends; its process id. Raises ``SubjectError`` when it is never ready."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=log.write, stderr=log.write,
        env=os.environ | dict(env), start_new_session=True,
    )  # fmt: skip
    os.close(log.write)
    try:
        _await(process, log, ready)
        yield process.pid
    finally:
        _end(process)
        log.close()


def _await(process: subprocess.Popen[bytes], log: Log, ready: Callable[[], bool]) -> None:
    deadline_ns = clock.monotonic_ns() + int(_READY_S * NS_PER_S)
    while not ready():
        if process.poll() is not None or clock.monotonic_ns() > deadline_ns:
            words = log.words[-_LAST_WORDS:].decode(errors="replace")
            raise SubjectError(f"{process.args!r} was not ready; its last words:\n{words}")
        clock.sleep_until(clock.monotonic_ns() + _LOOK_NS)


def _end(process: subprocess.Popen[bytes]) -> None:
    """It may be stopped; then what is left of its session, which is ours alone."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGCONT)
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def family(pid: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def command_name(pid: int) -> str:
    """What it calls itself; empty when it is gone."""
    try:
        return Path(Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]).name
    except OSError:
        return ""


class Voiceroom:
    """``voiceroom-mixer run`` with one room."""

    name = "voiceroom"

    def __init__(self, pid: int, door: Door) -> None:
        self._pid, self._door = pid, door

    def pids(self) -> list[int]:
        """Keeper, control, media and spares."""
        return family(self._pid)

    def add_leg(self, port: int, identity: str) -> Where:
        """``POST /rooms/{room}/legs``."""
        leg = self._join(port, identity)
        return Where((leg["ip"], leg["port"]), leg["payloadType"])

    def _join(self, port: int, identity: str) -> dict[str, Any]:
        body = {"kind": "rtp", "ip": "127.0.0.1", "port": port, "payloadType": PAYLOAD_TYPE}
        body |= {"identity": identity, "role": "speaker"}
        status, leg = self._door.ask("POST", f"/rooms/{ROOM}/legs", body)
        if status != 201:
            raise SubjectError(f"a leg was refused: {status} {leg}")
        found: dict[str, Any] = leg
        return found

    def churn(self) -> None:
        """A leg comes and goes."""
        leg = self._join(free_port(socket.SOCK_DGRAM), "passer-by")
        self._door.ask("DELETE", f"/rooms/{ROOM}/legs/{leg['id']}")


@contextlib.contextmanager
def voiceroom(log: Log, env: Mapping[str, str]) -> Iterator[Subject]:
    """Keys and state in a folder of its own. Raises ``SubjectError``."""
    with tempfile.TemporaryDirectory(prefix="voiceroom-driftlab-") as folder:
        rooms = Path(folder) / "room.yaml"
        rooms.write_text(json.dumps({
            "apiVersion": "voiceroom.dev/v1alpha1", "kind": "VoiceRoom",
            "metadata": {"name": ROOM}, "spec": {},
        }))  # fmt: skip
        port, udp = free_port(), free_port(socket.SOCK_DGRAM)
        state = {"XDG_STATE_HOME": folder}
        command = [sys.executable, "-m", "voiceroom_mixer", "run", str(rooms)]
        command += ["--http", f"127.0.0.1:{port}", "--udp", f"127.0.0.1:{udp}"]
        command += ["--drain-deadline", "0s"]
        door = Door(port)
        with started(command, dict(env) | state, log, lambda: door.answers("/readyz")) as pid:
            _let_settle(pid)
            yield Voiceroom(pid, Door(port, {"Authorization": f"Bearer {_token(state)}"}))


def _let_settle(pid: int) -> None:
    """Until both spares are there, seconds after it is ready; one without them is as well."""
    until_ns = clock.monotonic_ns() + int(_SETTLE_S * NS_PER_S)
    while clock.monotonic_ns() < until_ns:
        if [command_name(one) for one in family(pid)].count("voiceroom-spare") == _SPARES:
            return
        clock.sleep_until(clock.monotonic_ns() + _LOOK_NS)


def _token(state: Mapping[str, str]) -> str:
    command = [sys.executable, "-m", "voiceroom_mixer", "token", "--room", ROOM]
    command += ["--identity", "torture", "--role", "admin"]
    done = subprocess.run(command, env=os.environ | state, capture_output=True, text=True)
    if done.returncode:
        raise SubjectError(f"voiceroom-mixer token: {done.stderr.strip()}")
    return done.stdout.strip()


_JANUS: Final[dict[str, str]] = {
    "janus.jcfg": """
general: {{ plugins_folder = "{lib}/plugins" transports_folder = "{lib}/transports"
    events_folder = "{lib}/events" loggers_folder = "{lib}/loggers" configs_folder = "{folder}"
    debug_level = 4 session_timeout = 0 interface = "127.0.0.1" }}
nat: {{ ice_enforce_list = "lo" ignore_unreachable_ice_server = true }}
plugins: {{ disable = "{unused}" }}
""",
    "janus.transport.http.jcfg": """
general: {{ http = true port = {port} ip = "127.0.0.1" json = "compact" https = false }}
admin: {{ admin_http = false }}
""",
    "janus.plugin.audiobridge.jcfg": """
general: {{ local_ip = "127.0.0.1" rtp_port_range = "{ports}" }}
""",
}
_JANUS_USED: Final = ("libjanus_audiobridge.so", "libjanus_http.so")
_JANUS_PORTS: Final = "22000-29000"


def janus_plugins() -> Path | None:
    """Debian's folder of plugins, where Janus is installed."""
    found = sorted(Path("/usr/lib").glob("*/janus/plugins/libjanus_audiobridge.so"))
    return found[0].parents[1] if found and shutil.which("janus") else None


class Janus:
    """The AudioBridge over Janus's HTTP API."""

    name = "Janus"

    def __init__(self, pid: int, door: Door) -> None:
        self._pid, self._door = pid, door
        self._numbers = itertools.count()
        self._session = int(self._ask("/janus", {"janus": "create"})["data"]["id"])
        body = {"request": "create", "room": 1, "sampling_rate": 48_000}
        self._message(self._attach(), body | {"allow_rtp_participants": True})

    def pids(self) -> list[int]:
        """It is one process."""
        return family(self._pid)

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        body = body | {"transaction": str(next(self._numbers))}
        _, answer = self._door.ask("POST", path, body)
        if not answer or answer.get("janus") == "error":
            raise SubjectError(f"Janus: {answer}")
        found: dict[str, Any] = answer
        return found

    def _attach(self) -> int:
        body = {"janus": "attach", "plugin": "janus.plugin.audiobridge"}
        return int(self._ask(f"/janus/{self._session}", body)["data"]["id"])

    def _message(self, handle: int, body: dict[str, Any]) -> None:
        self._ask(f"/janus/{self._session}/{handle}", {"janus": "message", "body": body})

    def add_leg(self, port: int, identity: str) -> Where:
        """A plain-RTP participant, unmuted."""
        handle = self._attach()
        rtp = {"ip": "127.0.0.1", "port": port, "payload_type": PAYLOAD_TYPE}
        body = {"request": "join", "room": 1, "display": identity, "rtp": rtp, "muted": False}
        self._message(handle, body)
        while True:
            _, event = self._door.ask("GET", f"/janus/{self._session}?maxev=1")
            data = (event or {}).get("plugindata", {}).get("data", {})
            if "error" in data:
                raise SubjectError(f"Janus refused a participant: {data['error']}")
            if (event or {}).get("sender") == handle and "rtp" in data:
                return Where((data["rtp"]["ip"], data["rtp"]["port"]), PAYLOAD_TYPE)

    def churn(self) -> None:
        """A handle comes and goes; it joins no room, which would have to be waited for."""
        handle = self._attach()
        self._ask(f"/janus/{self._session}/{handle}", {"janus": "detach"})


@contextlib.contextmanager
def janus(log: Log, env: Mapping[str, str]) -> Iterator[Subject]:
    """Configured in a folder of its own. Raises ``SubjectError``."""
    library = janus_plugins()
    if not library:
        raise SubjectError("Janus is not installed")
    with tempfile.TemporaryDirectory(prefix="voiceroom-driftlab-") as folder:
        port = free_port()
        _write_janus(Path(folder), library, port)
        command = ["janus", "-F", folder, "-C", f"{folder}/janus.jcfg"]
        door = Door(port)
        with started(command, env, log, lambda: door.answers("/janus/info")) as pid:
            yield Janus(pid, door)


def _write_janus(folder: Path, library: Path, port: int) -> None:
    """All that it reads; every plugin but the AudioBridge is off."""
    unused = ",".join(
        one.name for one in sorted(library.glob("plugins/*.so")) if one.name not in _JANUS_USED
    )
    values = {"lib": library, "folder": folder, "unused": unused, "port": port}
    for name, text in _JANUS.items():
        (folder / name).write_text(text.format(**values, ports=_JANUS_PORTS))
