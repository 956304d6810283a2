"""The page's files, read once into memory: the page is small, and nothing else is ever served."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

INDEX: Final = "index.html"
_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; ``etag`` is strong, quotes included."""

    body: bytes
    content_type: str
    etag: str


class Assets:
    """By the path below the page's folder."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.startswith((".", "__")) and path.suffix != ".py"
        }

    def find(self, name: str) -> Asset | None:
        """The file of that name."""
        return self._files.get(name)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    etag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    return Asset(body, guessed or "application/octet-stream", etag)
