"""Images of one static program that a cluster needs before anything else runs in it."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from images import archive as docker_archive
from images import cache
from localcluster import build
from localcluster.failure import ClusterError
from localcluster.tools import BY_NAME

REGISTRY = "voiceroom.test"


@dataclass(frozen=True)
class Image:
    """One program, at each of `paths` in the image."""

    name: str
    program: Path
    paths: Sequence[str]
    entrypoint: Sequence[str]


def busybox() -> Image:
    """A shell and its tools, also the sandbox of every pod: by itself it only sleeps."""
    found = shutil.which("busybox")
    if found is None:
        raise ClusterError("the program busybox is missing: run `scripts/setup cluster`.")
    # 24 days; the static build does not know `infinity`.
    entrypoint = ("/bin/busybox", "sleep", "2147483")
    paths = ("/bin/busybox", "/bin/sh", "/bin/sleep", "/bin/cat")
    return Image(f"{REGISTRY}/busybox:1", Path(found), paths, entrypoint)


def coredns() -> Image:
    """The cluster's name server."""
    name = f"{REGISTRY}/coredns:{BY_NAME['coredns'].version}"
    return Image(name, build.program("coredns"), ("/coredns",), ("/coredns",))


def archive(image: Image) -> Path:
    """The image as a docker-archive in the cache, keyed by its content; made when it is missing."""
    key = cache.key((image.name, *image.paths, "|", *image.entrypoint, image.program))
    base = image.name.rpartition("/")[2].replace(":", "-")
    path = cache.folder() / f"{base}-{key}.tar"
    with cache.made_once(path, lambda part: _make(image, part)) as made:
        if made:
            cache.prune(path, f"{base}-*.tar")
    return path


def _make(image: Image, part: Path) -> None:
    with tempfile.TemporaryDirectory(dir=part.parent) as work:
        layer = Path(work) / "layer.tar"
        docker_archive.layer(dict.fromkeys(image.paths, image.program), layer)
        settings = docker_archive.Settings(image.entrypoint, environment={"PATH": "/bin"})
        docker_archive.write(part, image.name, layer, platform.machine(), settings)
