"""The wheels that the image is made of, fetched and built outside of it."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path
from typing import Final

from images import cache
from images.base import PYTHON
from images.command import run, step

LOCK: Final = cache.ROOT / "requirements" / "image.lock"
_GLIBC_MINORS: Final = (36, 35, 34, 31, 28, 27, 26, 24, 17)
"""Of manylinux wheels that Debian bookworm runs; manylinux2014 is glibc 2.17."""
_SOURCES: Final = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")
_PACKAGES: Final = ("crds/voiceroom_api", "mixer", "operator")


def sources() -> tuple[Path, ...]:
    """What this project's wheel is made of."""
    found = (cache.ROOT / name for name in (*_SOURCES, *_PACKAGES))
    return tuple(path for path in found if path.exists())


def locked(folder: Path) -> Path:
    """The folder of the wheels that ``requirements/image.lock`` names, for the base's Python."""
    found = folder / f"wheels-{cache.key((LOCK, PYTHON, platform.machine()))}"
    done = found / ".complete"
    if not done.exists():
        for old in folder.glob("wheels-*"):
            cache.remove(old)
        found.mkdir(parents=True)
        with step("wheels of requirements/image.lock (once)"):
            _download(found)
        done.touch()
    return found


def _download(to: Path) -> None:
    machine = platform.machine()
    tags = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC_MINORS]
    options = ["--require-hashes", "--only-binary=:all:", "--no-deps", f"--python-version={PYTHON}"]
    platforms = [f"--platform={tag}" for tag in (*tags, f"manylinux2014_{machine}", "any")]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, *platforms]
    run([*command, "-r", LOCK, "-d", to], to / ".log")


def ours(to: Path, log: Path) -> None:
    """This project's wheel, into the folder ``to``; it carries the compiled kernels."""
    with step("wheel of this project"):
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-cache-dir"]
        run([*command, f"--wheel-dir={to}", cache.ROOT], log)


def wheelhouse(folder: Path, to: Path, log: Path) -> None:
    """All wheels, in the folder ``to``."""
    shutil.copytree(locked(folder), to, ignore=shutil.ignore_patterns(".*"))
    ours(to, log)
