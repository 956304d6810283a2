"""The base image: a minimal Debian with Python, made from Debian's packages."""

from __future__ import annotations

import os
import platform
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from images import archive, cache
from images.command import need, run, step

SUITE: Final = "bookworm"
PYTHON: Final = "3.11"
"""Of the suite; wheels are chosen for it."""
_PACKAGES: Final = ("ca-certificates", "libopus0", "python3", "python3-venv")
_MIRROR: Final = "http://deb.debian.org/debian"
_LEFT_OUT: Final = (
    "dev",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
    "var/log",
)
"""Their content: caches, logs, and documentation that nobody reads in a container."""
_VERSION: Final = "1"
"""Counted up when the same words would make another base."""


def mirror() -> str:
    """Where Debian's packages come from: VOICEROOM_DEBIAN_MIRROR, or Debian's own address."""
    return os.environ.get("VOICEROOM_DEBIAN_MIRROR") or _MIRROR


def base_key() -> str:
    """What the base is made of; not when."""
    return cache.key((SUITE, *_PACKAGES, *_LEFT_OUT, platform.machine(), _VERSION))


def base(folder: Path) -> tuple[str, Path]:
    """Reference and docker-archive of the base; about two minutes the first time."""
    reference = f"localhost/voiceroom-base:{base_key()}"
    path = folder / f"base-{base_key()}.tar"
    with cache.made_once(path, lambda part: _make(part, reference)) as made:
        if made:
            cache.prune(path, "base-*.tar")
    return reference, path


def _make(part: Path, reference: str) -> None:
    need("debootstrap", "tar")
    with (
        step(f"base: Debian {SUITE} with Python {PYTHON} (about two minutes, once)"),
        tempfile.TemporaryDirectory(dir=part.parent, ignore_cleanup_errors=True) as work,
    ):
        root, log = Path(work) / "root", Path(work) / "log"
        include = f"--include={','.join(_PACKAGES)}"
        run(["debootstrap", "--variant=minbase", include, SUITE, root, mirror()], log)
        rootfs = Path(work) / "rootfs.tar"
        _pack(root, rootfs)
        archive.write(part, reference, rootfs, platform.machine(), archive.Settings())


def _pack(root: Path, to: Path) -> None:
    """The folders that are left out stay, empty."""
    with tarfile.open(to, "w") as tar:
        tar.add(root, ".", filter=_wanted)


def _wanted(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    inside = info.name.removeprefix("./")
    return None if any(inside.startswith(f"{folder}/") for folder in _LEFT_OUT) else info
