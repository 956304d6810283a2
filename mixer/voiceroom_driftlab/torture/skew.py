"""Clocks that read wrong in another program: a library that is preloaded into it."""

from __future__ import annotations

import contextlib
import mmap
import shlex
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from voiceroom_mixer.edge import clock
from voiceroom_mixer.native.build import BuildError, compiler

_SOURCE: Final = Path(__file__).parent / "c" / "skew.c"
_FLAGS: Final = ("-std=gnu11", "-O2", "-fPIC", "-shared", "-Wall", "-Wextra")
_CLOCKS: Final = 16
_LAYOUT: Final = struct.Struct(f"=IIqd{_CLOCKS}q")
_MASK: Final = struct.Struct("=I")
_TIMEOUT_S: Final = 60
_REALTIME_COARSE: Final = 5
_MONOTONIC_COARSE: Final = 6
MONOTONIC: Final = (clock.CLOCK_MONOTONIC, _MONOTONIC_COARSE)
WALL: Final = (clock.CLOCK_REALTIME, _REALTIME_COARSE)
ALL: Final = (*MONOTONIC, *WALL, clock.CLOCK_MONOTONIC_RAW, clock.CLOCK_BOOTTIME)


class Skew:
    """The file that the preloaded library goes by."""

    def __init__(self, path: Path, library: Path) -> None:
        path.write_bytes(bytes(mmap.PAGESIZE))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), mmap.PAGESIZE)
        self.env = {"LD_PRELOAD": str(library), "VR_LAB_SKEW": str(path)}

    def set(self, clocks: tuple[int, ...], offset_ns: int = 0, ppm: float = 0.0) -> None:
        """From now on these clocks are ahead by so much, and run faster by so much."""
        mask = sum(1 << number for number in clocks)
        bases = [clock.syscall_ns(n) if n in clocks else 0 for n in range(_CLOCKS)]
        _LAYOUT.pack_into(self._map, 0, 0, 0, offset_ns, ppm / 1e6, *bases)
        _MASK.pack_into(self._map, 0, mask)

    def end(self) -> None:
        """They are right again."""
        _MASK.pack_into(self._map, 0, 0)

    def close(self) -> None:
        """When nobody reads it any more."""
        self._map.close()
        self._file.close()


@contextlib.contextmanager
def skew() -> Iterator[Skew]:
    """Compiled into a folder that goes with the block. Raises ``BuildError``."""
    with tempfile.TemporaryDirectory(prefix="voiceroom-driftlab-") as name:
        library = Path(name) / "skew.so"
        command = [*compiler(), *_FLAGS, "-o", str(library), str(_SOURCE), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
        if done.returncode:
            raise BuildError(f"{shlex.join(command)} failed:\n{done.stderr.strip()}")
        made = Skew(Path(name) / "skew", library)
        try:
            yield made
        finally:
            made.close()
