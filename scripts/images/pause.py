"""The image that holds a pod's network namespace where no registry is in reach: busybox, asleep."""

from __future__ import annotations

import platform
import shutil
import tempfile
from pathlib import Path
from typing import Final

from images import archive, cache
from images.cache import BuildError
from images.voiceroom import Image

# it ends at once when it is told to, and reaps what is left to it
_SCRIPT: Final = "trap exit TERM INT; while :; do sleep 3600 & wait $!; done"
_ENTRYPOINT: Final = ("/bin/busybox", "sh", "-c", _SCRIPT)


def pause_image(folder: Path) -> Image:
    """From Debian's package busybox-static."""
    busybox = _busybox()
    tag = cache.key((busybox, *_ENTRYPOINT, platform.machine()))
    image = Image(f"localhost/voiceroom-pause:{tag}", folder / f"pause-{tag}.tar")
    with cache.made_once(image.archive, lambda part: _make(part, image, busybox)) as made:
        if made:
            cache.prune(image.archive, "pause-*.tar")
    return image


def _busybox() -> Path:
    found = shutil.which("busybox")
    if found is None:
        raise BuildError("busybox not found: apt-get install busybox-static")
    return Path(found).resolve()


def _make(part: Path, image: Image, busybox: Path) -> None:
    with tempfile.TemporaryDirectory(dir=part.parent) as work:
        rootfs = Path(work) / "rootfs.tar"
        archive.layer({"/bin/busybox": busybox}, rootfs)
        settings = archive.Settings(entrypoint=_ENTRYPOINT, environment={"PATH": "/bin"})
        archive.write(part, image.reference, rootfs, platform.machine(), settings)
