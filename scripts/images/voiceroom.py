"""The image of mixer and operator, from the Containerfile at the repository's root."""

from __future__ import annotations

import platform
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from images import cache, wheels
from images.base import base, base_key
from images.command import need, run, step

CONTAINERFILE: Final = cache.ROOT / "Containerfile"


@dataclass(frozen=True)
class Image:
    """One image, ready to be imported."""

    reference: str
    """``localhost/NAME:TAG``; the tag tells the content, so that ``IfNotPresent`` is right."""
    archive: Path
    """A docker-archive."""

    @property
    def repository(self) -> str:
        """``reference`` without its tag."""
        return self.reference.rpartition(":")[0]

    @property
    def tag(self) -> str:
        """What follows the colon of ``reference``."""
        return self.reference.rpartition(":")[2]

    @property
    def mebibytes(self) -> float:
        """Unpacked, as it lies in the cache."""
        return self.archive.stat().st_size / 2**20


def version() -> str:
    """Of the distribution."""
    project = tomllib.loads((cache.ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def voiceroom_image(folder: Path) -> Image:
    """Built when a source, a locked wheel, the base or the Containerfile has changed."""
    content: list[str | bytes | Path] = [CONTAINERFILE, wheels.LOCK, *wheels.sources()]
    tag = f"{version()}-{cache.key([*content, base_key(), platform.machine()])}"
    image = Image(f"localhost/voiceroom:{tag}", folder / f"voiceroom-{tag}.tar")
    with cache.made_once(image.archive, lambda part: _make(folder, part, image)) as made:
        if made:
            cache.prune(image.archive, "voiceroom-*.tar")
    return image


def _make(folder: Path, part: Path, image: Image) -> None:
    need("buildah")
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as work:
        context, log = Path(work) / "context", Path(work) / "log"
        (context / "requirements").mkdir(parents=True)
        shutil.copy(wheels.LOCK, context / "requirements")
        wheels.wheelhouse(folder, context / "wheelhouse", log)
        reference, archive = base(folder)
        with step(f"image {image.reference}"):
            _buildah(Path(work), log, "pull", f"docker-archive:{archive}")
            options = ("--layers=false", f"--build-arg=BASE={reference}", "--pull-never")
            tags = (f"--tag={image.reference}", f"--file={CONTAINERFILE}")
            _buildah(Path(work), log, "build", *options, *tags, context)
            _buildah(
                Path(work),
                log,
                "push",
                image.reference,
                f"docker-archive:{part}:{image.reference}",
            )


def _buildah(work: Path, log: Path, *arguments: str | Path) -> None:
    """With a storage of its own, which goes with ``work``."""
    storage = (*_storage(work), f"--storage-driver={_driver(work)}")
    run(("buildah", *storage, *arguments), log, BUILDAH_ISOLATION="chroot", TMPDIR=str(work))


def _storage(work: Path) -> tuple[str, str]:
    return f"--root={work / 'storage'}", f"--runroot={work / 'run'}"


def _driver(work: Path) -> str:
    """``overlay`` where this file system can have one, else ``vfs``, which copies whole images at
    every step: seven times as long."""
    probe = ("buildah", *_storage(work / "probe"), "--storage-driver=overlay", "images")
    done = subprocess.run(probe, capture_output=True, check=False)
    return "overlay" if done.returncode == 0 else "vfs"
