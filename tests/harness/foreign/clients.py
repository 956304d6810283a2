"""WebRTC stacks of others as processes or libraries: what each of them heard, packet by packet."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from harness.aiortc_client import AiortcClient, LoopThread
from harness.pods import Pod
from harness.rtp import FRAME, Heard
from harness.tones import tone
from voiceroom_mixer.codec.opus import OpusEncoder

FOLDER: Final = Path(__file__).parent
SYSTEM_PYTHON: Final = "/usr/bin/python3"
HAS_GSTREAMER: Final = """
import gi
gi.require_version("GstWebRTC", "1.0")
from gi.repository import Gst
Gst.init(None)
assert Gst.ElementFactory.find("webrtcbin") and Gst.ElementFactory.find("nicesrc")
"""
GSTREAMER_PACKAGES: Final = (
    "apt-get install python3-gi gstreamer1.0-nice gstreamer1.0-plugins-bad"
    " gstreamer1.0-plugins-good gir1.2-gst-plugins-bad-1.0"
)
BUILD_S: Final = 600


class Client(Protocol):
    """In the room ``lobby``, sending a tone."""

    @property
    def leg(self) -> str:
        """Its id."""

    def heard(self) -> list[Heard]:
        """All packets so far; without their payload."""


class Aiortc:
    """The library, in this process."""

    def __init__(self, client: AiortcClient) -> None:
        self._client = client
        self._heard: list[Heard] = []
        client.join()
        assert client.connection is not None
        (receiver,) = client.connection.getReceivers()
        take = receiver._handle_rtp_packet

        async def noted(packet: Any, arrival_time_ms: int) -> None:
            at = (packet.sequence_number, packet.timestamp, packet.ssrc, b"")
            self._heard.append(Heard(time.monotonic_ns(), *at))
            await take(packet, arrival_time_ms)

        receiver._handle_rtp_packet = noted  # type: ignore[method-assign]

    @property
    def leg(self) -> str:
        return self._client.location.rpartition("/")[2]

    def heard(self) -> list[Heard]:
        return list(self._heard)


class Foreign:
    """A program that prints ``location ...`` and writes what it hears into a file."""

    def __init__(self, process: subprocess.Popen[str], log: Path, heard: Path) -> None:
        self.process, self._log, self._file = process, log, heard
        deadline = time.monotonic() + 20.0
        while not self.heard():
            assert process.poll() is None, self.said()
            assert time.monotonic() < deadline, f"it hears nothing: {self.said()}"
            time.sleep(0.1)

    def said(self) -> str:
        """All that it printed."""
        return self._log.read_text()

    @property
    def leg(self) -> str:
        line = next(line for line in self.said().splitlines() if line.startswith("location "))
        return line.rpartition("/")[2]

    def heard(self) -> list[Heard]:
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        rows = (list(map(int, line.split())) for line in lines if line.count(" ") == 3)
        return [Heard(at, seq, stamp, ssrc, b"") for at, seq, stamp, ssrc in rows]


def write_sound(path: Path, hz: float, frames: int = 1_000) -> Path:
    """Opus packets of a tone, each behind its length (16 bits)."""
    encoder = OpusEncoder()
    packets = [encoder.encode(tone(hz, n * FRAME, FRAME)) for n in range(frames)]
    encoder.close()
    path.write_bytes(b"".join(struct.pack("!H", len(p)) + p for p in packets))
    return path


@contextmanager
def aiortc(door: Pod, hz: float, _: Path) -> Iterator[Client]:
    loop = LoopThread()
    client = AiortcClient(loop, door, door.sign("speaker", "lobby", "guest"), "lobby", hz)
    try:
        yield Aiortc(client)
    finally:
        client.close()
        loop.close()


@contextmanager
def _running(command: list[str], folder: Path) -> Iterator[Client]:
    log = folder / "foreign.log"
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, text=True)
    try:
        yield Foreign(process, log, folder / "heard")
    finally:
        process.kill()
        process.wait(10)


def _where(door: Pod) -> list[str]:
    return [f"{door.base}/rooms/lobby/whip", door.sign("speaker", "lobby", "guest")]


@contextmanager
def gstreamer(door: Pod, hz: float, folder: Path) -> Iterator[Client]:
    script = str(FOLDER / "gst_client.py")
    command = [SYSTEM_PYTHON, script, *_where(door), str(hz), str(folder / "heard")]
    with _running(command, folder) as client:
        yield client


@contextmanager
def pion(door: Pod, hz: float, folder: Path) -> Iterator[Client]:
    program = folder / "pionclient"
    build = ["go", "build", "-mod=readonly", "-o", str(program), "."]
    subprocess.run(build, cwd=FOLDER / "pion", check=True, timeout=BUILD_S)
    sound = write_sound(folder / "sound", hz)
    with _running(
        [str(program), *_where(door), str(sound), str(folder / "heard")], folder
    ) as client:
        yield client


def missing(name: str) -> str:
    """What this machine lacks for it, for a skip; empty = nothing."""
    if name == "pion" and not (os.environ.get("VOICEROOM_PION") and shutil.which("go")):
        return "pion is fetched and built where VOICEROOM_PION=1 and a Go compiler are given"
    if name == "gstreamer":
        found = subprocess.run([SYSTEM_PYTHON, "-c", HAS_GSTREAMER], capture_output=True)
        return GSTREAMER_PACKAGES if found.returncode else ""
    return ""


CLIENTS: Final[Mapping[str, Callable[[Pod, float, Path], Any]]] = {
    "aiortc": aiortc,
    "gstreamer": gstreamer,
    "pion": pion,
}
