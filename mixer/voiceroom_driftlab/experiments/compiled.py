"""The laboratory's own C, compiled when it is wanted: the mixer's kernels do not carry it."""

from __future__ import annotations

import ctypes
import shlex
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

from voiceroom_mixer.native.build import BuildError, compiler

_SOURCE: Final = Path(__file__).parent / "c" / "readcost.c"
_FLAGS: Final = ("-std=gnu11", "-O2", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra")
_TIMEOUT_S: Final = 60


@cache
def library() -> ctypes.PyDLL:
    """Compiled once for a process; the file is gone as soon as it is loaded.

    Raises ``BuildError``, whose text says what to install.
    """
    with tempfile.TemporaryDirectory(prefix="voiceroom-driftlab-") as folder:
        target = Path(folder) / "lab.so"
        command = [*compiler(), *_FLAGS, "-o", str(target), str(_SOURCE), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BuildError(f"{shlex.join(command)}: {error}") from error
        if done.returncode:
            raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr.strip()}")
        return ctypes.PyDLL(str(target))
