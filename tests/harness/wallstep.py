"""A wall clock that a test may step under a mixer: ``wallstep.c``, built with the C compiler."""

from __future__ import annotations

import mmap
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.mixer import Mixer, running

_SOURCE = Path(__file__).with_suffix(".c")


class WallClock:
    """As an offset to this machine's."""

    def __init__(self, folder: Path) -> None:
        self.offset_s = 0
        self._file, self._library = folder / "wallstep", folder / "wallstep.so"
        self._file.write_bytes(bytes(8))
        with self._file.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)
        compiler = os.environ.get("CC", "cc")
        assert shutil.which(compiler), f"no {compiler}: apt-get install gcc libc6-dev"
        options = ("-shared", "-fPIC", "-O2", "-o", str(self._library))
        subprocess.run([compiler, *options, str(_SOURCE), "-ldl"], check=True)

    def environ(self) -> dict[str, str]:
        """For the mixer."""
        return {"LD_PRELOAD": str(self._library), "WALLSTEP_FILE": str(self._file)}

    def step_to(self, offset_s: int) -> None:
        """So many seconds away from the right time, at once."""
        self.offset_s = offset_s
        self._map[:] = struct.pack("=q", offset_s * 10**9)

    def close(self) -> None:
        """Unmap."""
        self._map.close()


@contextmanager
def running_on(folder: Path, documents: str) -> Iterator[tuple[Mixer, WallClock]]:
    """A mixer on a wall clock of its own."""
    wall = WallClock(folder)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in wall.environ().items():
            patch.setenv(name, value)
        start = running(folder, documents=documents)
        mixer = start.__enter__()
    try:
        yield mixer, wall
    finally:
        start.__exit__(None, None, None)
        wall.close()
