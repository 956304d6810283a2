"""The preloaded clocks (``shim.c``): compiled once for each content, steered by a mapped file."""

from __future__ import annotations

import hashlib
import mmap
import os
import platform
import shlex
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from voiceroom_driftlab.real.plan import CONSTANT_NS, Four
from voiceroom_mixer.edge import clock
from voiceroom_mixer.native.build import BuildError, compiler

SOURCE: Final = Path(__file__).with_suffix(".c")
FILE_ENV: Final = "VOICEROOM_LAB_CLOCKS"
FLAGS: Final = ("-shared", "-fPIC", "-O2", "-Wall", "-Wextra")
_LAYOUT: Final = struct.Struct("=16q")
_SEQUENCE: Final = struct.Struct("=q")
_STILL: Final[Four] = (0, 0, 0, 0)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The user's, by the XDG base directory specification."""
    base = environ.get("XDG_CACHE_HOME", "")
    folder = Path(base) if os.path.isabs(base) else Path.home() / ".cache"
    return folder / "voiceroom" / "driftlab"


def target(folder: Path) -> Path:
    """Where the library of this source, machine and flags is, or would be."""
    about = " ".join((platform.machine(), *FLAGS)).encode()
    digest = hashlib.sha256(about + b"\0" + SOURCE.read_bytes()).hexdigest()
    return folder / f"shim-{digest[:16]}.so"


def build(folder: Path) -> Path:
    """The library, compiled if it is not there. Raises ``BuildError``, ``OSError``."""
    library = target(folder)
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = library.with_suffix(f".{os.getpid()}.tmp")
        command = [*compiler(), *FLAGS, "-o", str(unfinished), str(SOURCE), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr.strip()}")
        os.replace(unfinished, library)
    return library


class Shim:
    """What one mixer's processes read, from now on."""

    def __init__(self, folder: Path, library: Path) -> None:
        self._library, self._file = library, folder / "clocks"
        self._file.write_bytes(bytes(_LAYOUT.size))
        with self._file.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
        self._sequence = 0
        self.settle()

    def environ(self) -> dict[str, str]:
        """For the mixer."""
        return {"LD_PRELOAD": str(self._library), FILE_ENV: str(self._file)}

    def falsify(self, pid: int, step_ns: Four, ppb: Four) -> None:
        """From now on ``pid`` reads that, on top of the constant offsets."""
        words = (pid, clock.true_ns(), *step_ns, *ppb, *CONSTANT_NS, 0)
        self._sequence += 2
        _SEQUENCE.pack_into(self._map, 0, self._sequence - 1)
        self._map[_SEQUENCE.size :] = struct.pack("=15q", *words)
        _SEQUENCE.pack_into(self._map, 0, self._sequence)

    def settle(self) -> None:
        """Only the constant offsets are left."""
        self.falsify(0, _STILL, _STILL)

    @property
    def falsified(self) -> int:
        """Readings that were, since ``falsify``: the proof that it happened."""
        return int(_LAYOUT.unpack_from(self._map)[-1])

    def close(self) -> None:
        """Unmap."""
        self._map.close()
