"""Janus's AudioBridge, as Debian ships it, with plain-RTP participants over its HTTP API."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bench import procfs, web
from bench.errors import BenchError
from bench.load.crowd import Target
from bench.process import server
from bench.settings import PORTS

HTTP_PORT: Final = PORTS + 10
RTP_PORTS: Final = "22000-29000"
PAYLOAD_TYPE: Final = 100
LEVEL_EXT: Final = 1
BITRATE: Final = 32_000
"""Our rooms' default; the encoder's complexity stays at AudioBridge's own."""
_PLUGINS: Final = "/usr/lib/x86_64-linux-gnu/janus"
_CONFIGS: Final[dict[str, str]] = {
    "janus.jcfg": """
general: {{
    plugins_folder = "{plugins}/plugins"
    transports_folder = "{plugins}/transports"
    events_folder = "{plugins}/events"
    loggers_folder = "{plugins}/loggers"
    configs_folder = "{folder}"
    debug_level = 3
    session_timeout = 0
    interface = "127.0.0.1"
}}
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
_USED: Final = ("libjanus_audiobridge.so", "libjanus_http.so")


def _folder() -> Path:
    """Debian's folder of plugins on this architecture."""
    found = sorted(Path("/usr/lib").glob("*/janus/plugins/libjanus_audiobridge.so"))
    return found[0].parents[1] if found else Path(_PLUGINS)


def write_configs(folder: Path) -> None:
    """All that Janus reads; every plugin but the AudioBridge is off."""
    plugins = _folder()
    unused = [p.name for p in plugins.glob("plugins/*.so") if p.name not in _USED]
    values = {"plugins": plugins, "folder": folder, "port": HTTP_PORT, "ports": RTP_PORTS}
    for name, text in _CONFIGS.items():
        (folder / name).write_text(text.format(unused=",".join(sorted(unused)), **values))


class Janus:
    """A running Janus with its rooms."""

    name = "Janus AudioBridge"

    def __init__(self, pid: int, client: web.Client) -> None:
        self._pid = pid
        self._client = client
        self._transactions = itertools.count()
        self._session = self._ask("/janus", {"janus": "create"})["data"]["id"]
        self._manager = self._attach()
        self._rooms: dict[str, int] = {}

    def pids(self) -> list[int]:
        """Janus is one process."""
        return procfs.tree(self._pid)

    def _ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = body | {"transaction": str(next(self._transactions))}
        answer: dict[str, Any] = self._client.post_json(path, request).json()
        if answer.get("janus") == "error":
            raise BenchError(f"Janus: {answer['error']}")
        return answer

    def _attach(self) -> int:
        body = {"janus": "attach", "plugin": "janus.plugin.audiobridge"}
        return int(self._ask(f"/janus/{self._session}", body)["data"]["id"])

    def _message(self, handle: int, body: dict[str, Any]) -> dict[str, Any]:
        path = f"/janus/{self._session}/{handle}"
        return self._ask(path, {"janus": "message", "body": body})

    def create_room(self, room: str) -> None:
        """A 48 kHz room, each participant mixed, as in ours with ``talkers: 0``."""
        number = 1000 + len(self._rooms)
        body = {"request": "create", "room": number, "sampling_rate": 48_000}
        body |= {"allow_rtp_participants": True, "default_bitrate": BITRATE}
        answer = self._message(self._manager, body)
        if answer.get("plugindata", {}).get("data", {}).get("audiobridge") != "created":
            raise BenchError(f"Janus made no room: {answer}")
        self._rooms[room] = number

    def add_leg(self, room: str, ip: str, port: int, identity: str) -> Target:
        """A plain-RTP participant, unmuted."""
        handle = self._attach()
        rtp = {"ip": ip, "port": port, "payload_type": PAYLOAD_TYPE, "audiolevel_ext": LEVEL_EXT}
        body = {"request": "join", "room": self._rooms[room], "display": identity, "rtp": rtp}
        self._message(handle, body | {"muted": False, "bitrate": BITRATE})
        answer = self._event(handle)["rtp"]
        return Target(answer["ip"], answer["port"], PAYLOAD_TYPE, LEVEL_EXT)

    def _event(self, handle: int) -> dict[str, Any]:
        """The next "joined" for this handle; what is meant for others is news of joins."""
        while True:
            event = self._client.call("GET", f"/janus/{self._session}?maxev=1").json()
            data: dict[str, Any] = event.get("plugindata", {}).get("data", {})
            if event.get("sender") == handle and "error" in data:
                raise BenchError(f"Janus refused a participant: {data['error']}")
            if event.get("sender") == handle and "rtp" in data:
                return data


@contextlib.contextmanager
def janus(rooms: Sequence[str]) -> Iterator[Janus]:
    """Run Janus with these rooms, configured in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="voiceroom-bench-") as name:
        folder = Path(name)
        write_configs(folder)
        command = ["janus", "-F", name, "-C", f"{name}/janus.jcfg"]
        ready = lambda: web.answers(HTTP_PORT, "/janus/info")  # noqa: E731
        with server(command, folder / "janus.log", ready) as pid:
            client = web.Client(HTTP_PORT)
            running = Janus(pid, client)
            for room in rooms:
                running.create_room(room)
            yield running
            client.close()
