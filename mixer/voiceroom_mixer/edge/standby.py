"""The spare media process: everything imported, waiting to become the one that has died.

Starting an interpreter with numpy takes a good part of the second within which audio has to be
back. The keeper therefore keeps one spare, started as ``python -m voiceroom_mixer.media spare``.
After its imports, and before it touches anything shared, it blocks here until the keeper names the
media process that it has to be.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from voiceroom_mixer.inheritance import SPARE_FD_ENV

SPARE: Final = "spare"
"""In the place of the index on the command line."""
_SPARE_NAME: Final = b"voiceroom-spare"
_MEDIA_NAME: Final = b"voiceroom-media"
_ARG_START: Final = 48
"""Field of proc_pid_stat(5)."""


def media_index(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Which media process this is: ``arguments`` (without the program) is the index, or ``spare``.

    For a spare it returns only when its turn has come. Raises ``SystemExit`` when it never does,
    or when the command line is not one of the keeper's.
    """
    if len(arguments) == 1 and arguments[0].isdigit():
        return int(arguments[0])
    number = environ.get(SPARE_FD_ENV, "")
    if list(arguments) != [SPARE] or not number.isdigit():
        sys.exit("usage: python -m voiceroom_mixer.media INDEX (started by the keeper)")
    return _wait(int(number))


def _wait(fd: int) -> int:
    line = os.read(fd, 16)
    os.close(fd)
    if not line.strip().isdigit():
        sys.exit(0)
    _take_name()
    return int(line)


def _take_name() -> None:
    """Show as ``voiceroom-media``: the argument vector is our own memory, the names as long."""
    start = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[_ARG_START - 3])
    program = Path("/proc/self/cmdline").read_bytes().split(b"\0", 1)[0]
    if start and program.endswith(_SPARE_NAME):
        ctypes.memmove(start + len(program) - len(_SPARE_NAME), _MEDIA_NAME, len(_MEDIA_NAME))
