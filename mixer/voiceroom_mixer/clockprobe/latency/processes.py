"""The media processes of this node's mixer pods, found in /proc, and the one signal they get.

Needs the node's pid namespace. Nothing is read that is not readable by everybody: which pod a
process belongs to stands on its command line, where its keeper has put it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from voiceroom_mixer.children import POD_OPTION
from voiceroom_mixer.edge.alarms import SIGNAL

NAME: Final = "voiceroom-media"
LOCAL: Final = ("", "")
"""Namespace and pod of a mixer that runs in none."""
_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class MediaProcess:
    """One of them."""

    pid: int
    pod: tuple[str, str]
    """Namespace and name."""


def parse(pid: int, command: bytes) -> MediaProcess | None:
    """From the content of ``cmdline``; None for any other process."""
    words = command.decode("utf-8", "replace").split("\0")
    if words[0].rpartition("/")[2] != NAME:
        return None
    said = (word for word in words if word.startswith(POD_OPTION))
    namespace, slash, name = next(said, POD_OPTION).removeprefix(POD_OPTION).partition("/")
    return MediaProcess(pid, (namespace, name) if slash else LOCAL)


def find(proc: Path = _PROC) -> list[MediaProcess]:
    """All of them, now. One that ends meanwhile is left out."""
    return list(_media(proc, (int(n) for n in os.listdir(proc) if n.isdigit())))


def _media(proc: Path, pids: Iterable[int]) -> Iterator[MediaProcess]:
    for pid in pids:
        with suppress(OSError):
            found = parse(pid, (proc / f"{pid}/cmdline").read_bytes())
            if found is not None:
                yield found


def catches(status: str, number: int) -> bool:
    """Whether a process whose ``status`` this is handles signal ``number`` itself."""
    lines = (line.split() for line in status.splitlines())
    mask = next((words[1] for words in lines if words[:1] == ["SigCgt:"]), "0")
    return bool(int(mask, 16) >> (number - 1) & 1)


def tell(process: MediaProcess, proc: Path = _PROC) -> bool:
    """Send it SIGUSR1; False where that is not allowed, it has ended, or would end of it."""
    try:
        fd = os.pidfd_open(process.pid)
    except OSError:
        return False
    try:
        # looked at again, behind the descriptor: the number may be another process's by now
        command = (proc / f"{process.pid}/cmdline").read_bytes()
        status = (proc / f"{process.pid}/status").read_text()
        if parse(process.pid, command) != process or not catches(status, SIGNAL):
            return False
        signal.pidfd_send_signal(fd, SIGNAL)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True
