"""The floor: a C program that does nothing but receive and send the same packets."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import cache, procfs
from bench.load.crowd import LOOPBACK, Target
from bench.process import server
from bench.settings import PORTS

UDP_PORT: Final = PORTS + 20
PAYLOAD_TYPE: Final = 111
PACKET_BYTES: Final = 96
"""Of speech at 32 kbit/s, RTP header included: what ours sends."""


@dataclass(frozen=True)
class Floor:
    """It learns its legs from what they send."""

    pid: int
    name: str = "floor (C, receive and send only)"

    def pids(self) -> list[int]:
        """One process, one thread."""
        return procfs.tree(self.pid)

    def add_leg(self, room: str, ip: str, port: int, identity: str) -> Target:
        """There is nothing to tell it."""
        return Target(LOOPBACK, UDP_PORT, PAYLOAD_TYPE)


@contextlib.contextmanager
def floor(legs: int, frame_ms: int = 20) -> Iterator[Floor]:
    """Run it for so many legs."""
    command = [
        str(cache.program("floor")),
        str(UDP_PORT),
        str(legs),
        str(frame_ms),
        str(PACKET_BYTES),
    ]
    with (
        tempfile.TemporaryDirectory(prefix="voiceroom-bench-") as name,
        server(command, Path(name) / "floor.log", lambda: _bound(UDP_PORT)) as pid,
    ):
        yield Floor(pid)


def _bound(port: int) -> bool:
    """Whether somebody has bound that UDP port (proc_net: local address in hex)."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text()
