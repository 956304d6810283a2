"""Runs the programs that builds need."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from images.cache import BuildError

_TAIL_LINES: Final = 30


def say(text: str) -> None:
    """One line of progress."""
    print(f"== {text}", flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Says what is done, and how long it took."""
    say(text)
    begin = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - begin:.0f} s")


def need(*programs: str) -> None:
    """Raises ``BuildError`` naming the Debian packages of what is missing."""
    missing = [program for program in programs if shutil.which(program, path=_path()) is None]
    if missing:
        raise BuildError(f"{', '.join(missing)} not found: apt-get install {' '.join(missing)}")
    if os.geteuid() != 0:
        raise BuildError("images are built by root here: a base is unpacked with its own users")


def run(arguments: Sequence[str | Path], log: Path, **environment: str) -> None:
    """Quietly, at a low priority; when it fails, the end of what it said is shown."""
    command = ["nice", "-n", "10", *map(str, arguments)]
    with log.open("ab") as out:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PATH": _path()} | environment,
            check=False,
        )
    if done.returncode:
        tail = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        raise BuildError("\n".join([f"{arguments[0]} ended with {done.returncode}:", *tail]))


def _path() -> str:
    """With the folders of system programs, which a user's PATH may leave out."""
    return os.environ.get("PATH", "") + os.pathsep + "/usr/sbin:/sbin"
