"""Stands in for control and media under the real keeper: a script that tells what it was given.

Each event is one JSON line on the standard output, which all processes of the run share.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any

from voiceroom_mixer.edge.standby import media_index
from voiceroom_mixer.inheritance import Inherited, inherited

ENDS = "STANDIN_ENDS"
"""JSON: exit status by role, at once after the start."""
DRAINS = "STANDIN_DRAINS"
"""Set: control answers ``drain`` with ``drained``."""
ORPHAN = "STANDIN_ORPHAN"
"""Set: media leaves a grandchild behind, which ends at once."""


def tell(event: str, **facts: Any) -> None:
    """One line, written whole."""
    line = json.dumps({"event": event, "pid": os.getpid(), **facts}) + "\n"
    os.write(1, line.encode())


def boots(segment: int) -> int:
    """Count this start in the segment, as the real ones do in its header."""
    if os.fstat(segment).st_size == 0:
        os.ftruncate(segment, mmap.PAGESIZE)
    with mmap.mmap(segment, mmap.PAGESIZE) as memory:
        memory[0] += 1
        return memory[0]


def ignored() -> list[str]:
    """Which of the signals that must not end a child do nothing here."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
    return [n.name for n in numbers if signal.getsignal(n) is signal.SIG_IGN]


def name() -> str:
    """The last part of ``argv[0]``, as ``ps`` shows it."""
    program = Path("/proc/self/cmdline").read_bytes().split(b"\0", 1)[0]
    return program.decode().rsplit("/", 1)[-1]


def orphan() -> None:
    """Leave a process to whoever reaps orphans."""
    if os.fork() == 0:
        if os.fork() == 0:
            tell("orphan")
        os._exit(0)
    os.wait()


def control(fds: Inherited) -> None:
    """Tell what was inherited, then what the keeper says."""
    tell("control", name=name(), ignored=ignored(), fds=json.loads(fds.to_json()))
    assert fds.keeper is not None
    while True:
        select.select([fds.keeper], [], [])
        for line in os.read(fds.keeper, 4096).split():
            tell("told", line=line.decode())
            if os.environ.get(DRAINS):
                os.write(fds.keeper, b"drained\n")


def media(arguments: list[str], fds: Inherited) -> None:
    """Wait for the index when spare, count the start, then do nothing."""
    if arguments == ["spare"]:
        tell("spare", name=name())
    index = media_index(arguments, os.environ)
    tell(
        "media", index=index, name=name(), ignored=ignored(), boots=boots(fds.media[index].segment)
    )
    if os.environ.get(ORPHAN):
        orphan()
    while True:
        signal.pause()


def probe(fds: Inherited) -> None:
    """Tell what was inherited, then do nothing."""
    tell("probe", name=name(), ignored=ignored(), fds=json.loads(fds.to_json()))
    while True:
        signal.pause()


def main() -> None:
    """``standin.py control``, ``standin.py probe`` or ``standin.py media INDEX|spare``."""
    role, *arguments = sys.argv[1:]
    ends = json.loads(os.environ.get(ENDS, "{}"))
    fds = inherited(os.environ)
    if role in ends and arguments != ["spare"]:
        tell("ends", role=role)
        sys.exit(ends[role])
    if role == "control":
        control(fds)
    if role == "probe":
        probe(fds)
    media(arguments, fds)


if __name__ == "__main__":
    main()
