"""Writes an image of one layer as a docker-archive, which ``ctr images import`` and
``docker load`` read. (Image specification v1.2 of Docker.)"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_BLOCK: Final = 1 << 20


@dataclass(frozen=True)
class Settings:
    """How a container of the image starts."""

    entrypoint: Sequence[str] = ()
    user: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """As in the image's configuration."""
        return {
            "Entrypoint": list(self.entrypoint),
            "User": self.user,
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
        }


def architecture(machine: str) -> str:
    """As in images: ``amd64`` for ``x86_64``."""
    return _ARCHITECTURES.get(machine, machine)


def layer(files: Mapping[str, Path], to: Path) -> None:
    """A layer of executable ``files``: path in the image to path here. The same bytes each time."""
    with tarfile.open(to, "w") as tar:
        for name, source in sorted(files.items()):
            info = tarfile.TarInfo(name.lstrip("/"))
            info.size, info.mode = source.stat().st_size, 0o755
            with source.open("rb") as data:
                tar.addfile(info, data)


def write(to: Path, reference: str, rootfs: Path, machine: str, settings: Settings) -> None:
    """The docker-archive ``to`` of the one layer ``rootfs``, a tar file."""
    config = json.dumps(
        {
            "architecture": architecture(machine),
            "os": "linux",
            "config": settings.to_dict(),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{_digest(rootfs)}"]},
        },
        sort_keys=True,
    ).encode()
    name = f"{sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [reference], "Layers": ["layer.tar"]}]
    with tarfile.open(to, "w") as tar:
        for path, data in ((name, config), ("manifest.json", json.dumps(manifest).encode())):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
        tar.add(rootfs, "layer.tar")


def _digest(path: Path) -> str:
    digest = sha256()
    with path.open("rb") as data:
        while block := data.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
