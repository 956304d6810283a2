"""The keeper's heartbeat: while media starts anew, the twins of its rooms are to know that the pod
is there (contract: beats come from media and from the keeper).

Every 50 ms it looks at the word in which media says when it ran last; while that is fresh media
beats itself, and a second beat would tell nobody anything.

Standard library only. Control says in a line to whom; the datagram is the one of
``core/moving/wire.py``, which a test compares.
"""

from __future__ import annotations

import hmac
import json
import os
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

LINE: Final = "beats "
BEAT_S: Final = 0.05
FRESH_S: Final = 0.1
"""Media ran that lately: it writes its word at every tick, of 40 ms at most."""
MAX_TARGETS: Final = 64
_WORD: Final = struct.Struct("<q")
_BEAT: Final = struct.Struct("!BB8sQ")
_FIRST, _VERSION, _TAG_BYTES = 0xC0, 1, 16


@dataclass(frozen=True, slots=True)
class Targets:
    """Of one media process."""

    pod: bytes
    to: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Heart:
    """Beats on the media processes' own sockets. Silent until it is told something."""

    sockets: tuple[socket.socket, ...]
    segments: tuple[int, ...] = ()
    """Descriptors of their memory."""
    word_at: int | None = None
    """Where in it media's word is; None = control has not said."""
    key: bytes = b""
    targets: tuple[Targets, ...] = ()
    due_s: float = field(default=0.0)

    def tell(self, line: str) -> None:
        """``beats JSON``; what cannot be read changes nothing."""
        with suppress(ValueError, KeyError, TypeError):
            said: dict[str, Any] = json.loads(line.removeprefix(LINE))
            self.key = bytes.fromhex(said["key"])
            self.word_at = None if said.get("word") is None else int(said["word"])
            self.targets = tuple(
                Targets(bytes.fromhex(pod), tuple((str(ip), int(port)) for ip, port in to))
                for pod, to in said["processes"]
            )

    @property
    def beats(self) -> bool:
        """There is somebody to beat for."""
        return bool(self.key) and any(target.to for target in self.targets)

    def patience_s(self, now_s: float) -> float | None:
        """Until the next beat; None = there is none."""
        return max(0.0, self.due_s - now_s) if self.beats else None

    def beat(self, now_s: float) -> None:
        """When it is due, for media that do not. ``now_s``: CLOCK_MONOTONIC, by which media numbers
        its beats too."""
        if not self.beats or now_s < self.due_s:
            return
        self.due_s = now_s + BEAT_S
        for index, (sock, target) in enumerate(zip(self.sockets, self.targets, strict=False)):
            if self._runs(index, now_s):
                continue
            datagram = beat(self.key, target.pod, round(now_s * 1e9))
            for address in target.to[:MAX_TARGETS]:
                with suppress(OSError):
                    sock.sendto(datagram, _reached(sock, address))

    def _runs(self, index: int, now_s: float) -> bool:
        """Whether that media process does, by its own word."""
        if self.word_at is None or index >= len(self.segments):
            return False
        with suppress(OSError, struct.error):
            (ran_ns,) = _WORD.unpack(os.pread(self.segments[index], _WORD.size, self.word_at))
            return bool(abs(now_s - ran_ns / 1e9) < FRESH_S)
        return False


def _reached(sock: socket.socket, address: tuple[str, int]) -> tuple[str, int]:
    """IPv4 on a dual-stack socket is ::ffff:a.b.c.d."""
    mapped = sock.family == socket.AF_INET6 and ":" not in address[0]
    return (f"::ffff:{address[0]}", address[1]) if mapped else address


def beat(key: bytes, pod: bytes, sequence: int) -> bytes:
    """One heartbeat, sealed."""
    data = _BEAT.pack(_FIRST, _VERSION, pod, sequence)
    return data + hmac.digest(key, data, "sha256")[:_TAG_BYTES]
